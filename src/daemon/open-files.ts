import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import { boundsFor } from "../api/connections/limits.js";

const LIMIT = /^Max open files +([0-9]+|unlimited)/m;
/** The least that is usual, for systems that do not tell. */
const USUAL = 1024;

/** So many are enough for every connection that there may be, and for whatever the daemon opens. */
const PLENTY = 40_000;
const LOOK_MS = 1000;

/** Leaves to the connections what the daemon does not need itself, which changes as it works. */
export function shareDescriptors(app: FastifyInstance, openFiles: number): void {
  if (openFiles >= PLENTY) return;
  const share = () => {
    const { connections } = app;
    const open = openDescriptors(openFiles);
    if (open !== undefined) connections.resize(boundsFor(openFiles - open + connections.size));
  };
  share();
  const sharing = setInterval(share, LOOK_MS).unref();
  app.server.once("close", () => clearInterval(sharing));
}

/** In one step, so that none is opened or closed between this and the count of connections. */
function openDescriptors(openFiles: number): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch (error) {
    // One is needed to look, and all are taken. Other systems do not tell.
    const isFull = error instanceof Error && "code" in error && error.code === "EMFILE";
    return isFull ? openFiles : undefined;
  }
}

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
