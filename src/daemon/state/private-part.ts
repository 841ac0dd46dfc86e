import { readFile, stat } from "node:fs/promises";
import { messageOf } from "../../store/database/message-of.js";
import { RefusedError } from "../startup-error.js";

interface Part {
  readonly path: string;
  /** What it must hold, and how that is called. */
  readonly holds: (text: string) => boolean;
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
  if (holds(text)) return text;
  const state = text === "" ? "is empty" : "is cut short or garbled";
  throw new RefusedError(`${path} ${state}: it does not hold ${what}`, [remedy]);
}

/**
 * Of a key that another program keeps: a group may read it, as Debian's ssl-cert does.
 * @throws RefusedError when anybody else can
 */
export async function assertSharedKey(path: string): Promise<void> {
  const found = await look(path);
  if (found === undefined) return;
  if ((found.mode & 0o027) !== 0) {
    throw new RefusedError(`${path} is open to other users (mode ${rightsOf(found.mode)})`, [
      `If nobody else can have read it: chmod 640 ${path}`,
      "Otherwise the key and its certificate must be replaced.",
    ]);
  }
  if (isForeign(found.uid)) throw foreignOwner(path, found.uid);
}

interface Owned {
  readonly mode: number;
  readonly uid: number;
}

/** @throws RefusedError when anybody but this user and root can read or change it */
export function assertPrivate(path: string, { mode, uid }: Owned): void {
  if ((mode & 0o077) !== 0) {
    throw new RefusedError(`${path} is open to other users (mode ${rightsOf(mode)})`, [
      `If nobody else can have read it: chmod 600 ${path}`,
      "Otherwise what it protects must be replaced.",
    ]);
  }
  if (isForeign(uid)) throw foreignOwner(path, uid);
}

/**
 * @returns whether others can get at what is in it
 * @throws RefusedError when others could put files of their own in place of ours
 */
export async function assertPrivateFolder(path: string): Promise<boolean> {
  const found = await look(path);
  if (found === undefined || !found.isDirectory()) return false;
  const { mode, uid } = found;
  if (isForeign(uid)) throw foreignFolder(path, uid);
  // Where the sticky bit is set, only owners replace their files, as in /tmp.
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0) throw writableFolder(path, mode);
  return (mode & 0o011) !== 0;
}

/**
 * Of the folder of an embedded database, which others get at when `isReachable`: older releases made
 * its files writable for everybody, and left it to the folders around them to keep others out.
 * @throws RefusedError when others could have changed what is in it
 */
export async function assertPrivateDatabase(path: string, isReachable: boolean): Promise<void> {
  const found = await look(path);
  if (found === undefined || !found.isDirectory()) return;
  if (isForeign(found.uid)) throw foreignFolder(path, found.uid);
  if (isReachable && (found.mode & 0o022) !== 0) throw writableFolder(path, found.mode);
}

function writableFolder(path: string, mode: number): RefusedError {
  return new RefusedError(`other users can change files in ${path} (mode ${rightsOf(mode)})`, [
    `chmod 700 ${path}`,
  ]);
}

function rightsOf(mode: number): string {
  return `0${(mode & 0o777).toString(8)}`;
}

function isForeign(uid: number): boolean {
  return uid !== 0 && uid !== process.getuid?.();
}

function foreignOwner(path: string, uid: number): RefusedError {
  return new RefusedError(`${path} belongs to another user (uid ${uid})`, [
    `chown ${process.getuid?.()} ${path} && chmod 600 ${path}`,
  ]);
}

/** Its owner may do there whatever he likes, whoever owns the files. */
function foreignFolder(path: string, uid: number): RefusedError {
  return new RefusedError(`${path} belongs to another user (uid ${uid})`, [
    `Start the daemon as that user, or: chown -R ${process.getuid?.()} ${path} && chmod 700 ${path}`,
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
