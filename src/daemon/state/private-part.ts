import { readFile, stat } from "node:fs/promises";
import { messageOf } from "../../store/database/damage.js";
import { RefusedError } from "../startup-error.js";

interface Part {
  readonly path: string;
  /** What it must hold, and how that is called. */
  readonly holds: RegExp;
  readonly what: string;
  /** What to do when it holds something else. */
  readonly remedy: string;
  readonly isSecret: boolean;
}

/**
 * Reads a file of the data directory.
 * @returns what it holds; undefined when it is missing
 * @throws RefusedError when others can read a secret, or it is cut short or garbled
 */
export async function readPart(part: Part): Promise<string | undefined> {
  const { path, holds, what, remedy, isSecret } = part;
  const found = await look(path);
  if (found === undefined) return undefined;
  if (!found.isFile()) throw new RefusedError(`${path} is not a file`, [remedy]);
  if (isSecret) assertPrivate(path, found);
  const text = (await read(path)).trim();
  if (holds.test(text)) return text;
  const state = text === "" ? "is empty" : "is cut short or garbled";
  throw new RefusedError(`${path} ${state}: it does not hold ${what}`, [remedy]);
}

interface Owned {
  readonly mode: number;
  readonly uid: number;
}

/** @throws RefusedError when anybody but this user and root can read or change it */
export function assertPrivate(path: string, { mode, uid }: Owned): void {
  const rights = `0${(mode & 0o777).toString(8)}`;
  if ((mode & 0o077) !== 0) {
    throw new RefusedError(`${path} is open to other users (mode ${rights})`, [
      `If nobody else can have read it: chmod 600 ${path}`,
      "Otherwise what it protects must be replaced.",
    ]);
  }
  if (isForeign(uid)) throw foreignOwner(path, uid);
}

/** @throws RefusedError when others could put files of their own in place of ours */
export async function assertPrivateFolder(path: string): Promise<void> {
  const found = await look(path);
  if (found === undefined) return;
  const { mode } = found;
  // Where the sticky bit is set, only owners replace their files, as in /tmp.
  if (found.isDirectory() && (mode & 0o022) !== 0 && (mode & 0o1000) === 0) {
    const rights = `0${(mode & 0o777).toString(8)}`;
    throw new RefusedError(`other users can change files in ${path} (mode ${rights})`, [
      `chmod 700 ${path}`,
    ]);
  }
}

function isForeign(uid: number): boolean {
  return uid !== 0 && uid !== process.getuid?.();
}

function foreignOwner(path: string, uid: number): RefusedError {
  return new RefusedError(`${path} belongs to another user (uid ${uid})`, [
    `chown ${process.getuid?.()} ${path} && chmod 600 ${path}`,
  ]);
}

async function look(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) return undefined;
    throw unreadable(path, error);
  }
}

async function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw unreadable(path, error);
  });
}

function unreadable(path: string, error: unknown): RefusedError {
  const remedy = `Let the user of the daemon (uid ${process.getuid?.()}) own and read it.`;
  return new RefusedError(`${path} cannot be read: ${messageOf(error)}`, [remedy], error);
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
