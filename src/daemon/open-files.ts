import { readFile } from "node:fs/promises";

const LIMIT = /^Max open files +([0-9]+|unlimited)/m;
/** The least that is usual, for systems that do not tell. */
const USUAL = 1024;

/** How many descriptors this process may have open: Node has raised the soft limit to the hard. */
export async function openFilesLimit(): Promise<number> {
  const text = await readFile("/proc/self/limits", "utf8").catch(() => "");
  return parseOpenFiles(text);
}

/** @param limits as in /proc/PID/limits */
export function parseOpenFiles(limits: string): number {
  const soft = LIMIT.exec(limits)?.[1];
  if (soft === undefined) return USUAL;
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}
