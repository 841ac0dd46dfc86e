import { randomUUID } from "node:crypto";
import { chmod, type FileHandle, mkdir, open, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { tryLock } from "fs-native-extensions";

export interface DataDirLock {
  /** From now on the directory is used; without it, releasing leaves no trace of the lock. */
  keep(): void;
  release(): Promise<void>;
}

export class DataDirLockedError extends Error {
  override readonly name = "DataDirLockedError";

  constructor(
    readonly dataDir: string,
    /** As the holder wrote it; undefined in the moment before it has. */
    readonly holderPid: number | undefined,
  ) {
    const holder = holderPid === undefined ? "another process" : `process ${holderPid}`;
    super(`the data directory ${dataDir} is in use by ${holder}; stop it or use another directory`);
  }
}

/**
 * Takes the data directory for this process, making it (mode 0700) when it is missing.
 *
 * The kernel holds the lock and frees it with the process, however that ends: nothing is left to
 * clean up. PGlite itself takes no lock, and two processes on one database silently lose rows.
 * @throws DataDirLockedError when another process, or this one, holds it already
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  const made = await makePrivate(dataDir);
  const held = await openLocked(dataDir);
  const before = (await held.file.readFile("utf8")).trim();
  // The word is that of this run alone: an older copy of the file says something else.
  await write(held.file, `${process.pid} ${randomUUID()}`);
  let isUsed = false;
  return {
    keep: () => {
      isUsed = true;
    },
    release: async () => {
      if (isUsed) await held.file.truncate();
      else await leaveNoTrace(dataDir, made, held, before);
      await held.file.close();
    },
  };
}

interface Held {
  readonly file: FileHandle;
  readonly isNew: boolean;
}

async function openLocked(dataDir: string): Promise<Held> {
  const path = join(dataDir, "daemon.lock");
  for (;;) {
    const isNew = (await inodeAt(path)) === undefined;
    // Opened without truncation: until the lock is ours, what stands there is the holder's.
    const file = await open(path, "a+", 0o600);
    try {
      if (!tryLock(file.fd)) throw new DataDirLockedError(dataDir, await readPid(file));
      // Another one may have removed it meanwhile: a lock on what has no name locks nothing.
      if ((await file.stat()).ino === (await inodeAt(path))) return { file, isNew };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

async function inodeAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function write(file: FileHandle, text: string): Promise<void> {
  await file.truncate();
  if (text !== "") await file.write(`${text}\n`);
}

/** While the lock is held, so that nobody takes what is being removed for theirs. */
async function leaveNoTrace(
  dataDir: string,
  made: string | undefined,
  { file, isNew }: Held,
  before: string,
): Promise<void> {
  if (!isNew) return write(file, before);
  await rm(join(dataDir, "daemon.lock"));
  if (made !== undefined) await removeEmpty(dataDir, made);
}

/** Removes folders from `innermost` up to `outermost`, as far as they are empty. */
async function removeEmpty(innermost: string, outermost: string): Promise<void> {
  const top = resolve(outermost);
  for (let path = resolve(innermost); ; path = dirname(path)) {
    const isGone = await rmdir(path).then(
      () => true,
      () => false, // somebody has put something there
    );
    if (!isGone || path === top) return;
  }
}

/** @returns the outermost folder that had to be made */
async function makePrivate(dataDir: string): Promise<string | undefined> {
  const made = await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // mkdir's mode passes through the umask and also goes to parents that it had to make.
  if (made !== undefined) await chmod(dataDir, 0o700);
  return made;
}

async function readPid(file: FileHandle): Promise<number | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
  const pid = Number.parseInt(buffer.toString("utf8", 0, bytesRead), 10);
  return Number.isNaN(pid) ? undefined : pid;
}
