import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./lock-file.js";

const HEADING = "## A walk with curl";

/** A block of the README's walk, as it stands. */
interface Block {
  /** Whether it is marked as for a switch only. */
  readonly forSwitch: boolean;
  readonly commands: string;
}

/** @returns the blocks below the heading, in their order */
export function blocksOfTheWalk(): Block[] {
  const [, rest = ""] = readFileSync(`${ROOT}README.md`, "utf8").split(`${HEADING}\n`);
  const [section = ""] = rest.split(/^## /m);
  return Array.from(section.matchAll(/^```sh(.*)\n([^`]*)^```$/gm), ([, mark, commands = ""]) => ({
    forSwitch: mark === " switch",
    commands,
  }));
}

/**
 * Goes the walk in one shell, which ends at the first command that fails, in a folder with `var`
 * and `ovs` as in a clone.
 * @returns what the commands printed
 */
export async function walk(dataDir: string, { withSwitch }: { withSwitch: boolean }) {
  const folder = await mkdtemp(join(tmpdir(), "patchbay-walk-"));
  await symlink(dataDir, join(folder, "var"));
  await symlink(join(ROOT, "ovs"), join(folder, "ovs"));
  const blocks = blocksOfTheWalk().filter(({ forSwitch }) => withSwitch || !forSwitch);
  const script = blocks.map(({ commands }) => commands).join("\n");
  const env = { PATH: process.env["PATH"] };
  const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script], {
    cwd: folder,
    env,
  });
  return stdout;
}

const KINDS = ["tenants", "vpcs", "subnets", "network-interfaces"];

export const NOTHING_LEFT = Object.fromEntries(KINDS.map((kind) => [kind, 0]));

/** @returns what the operator would still find of a walk, by kind */
export async function leftovers(url: string, token: string): Promise<Record<string, number>> {
  const counts = KINDS.map(async (kind) => [kind, (await itemsOf(url, token, kind)).length]);
  return Object.fromEntries(await Promise.all(counts));
}

async function itemsOf(url: string, token: string, kind: string): Promise<unknown[]> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/v1/${kind}`, { headers });
  if (!answer.ok) throw new Error(`${kind}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { items: unknown[] }).items;
}
