import { chmod, type FileHandle, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { tryLock } from "fs-native-extensions";

export interface DataDirLock {
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
  await makePrivate(dataDir);
  // Opened without truncation: until the lock is ours, what stands there is the holder's.
  const file = await open(join(dataDir, "daemon.lock"), "a+", 0o600);
  try {
    if (!tryLock(file.fd)) throw new DataDirLockedError(dataDir, await readPid(file));
    await file.truncate();
    await file.write(`${process.pid}\n`);
  } catch (error) {
    await file.close();
    throw error;
  }
  return { release: () => release(file) };
}

/** The file stays: removing it would let two processes lock two files of the same name. */
async function release(file: FileHandle): Promise<void> {
  await file.truncate();
  await file.close();
}

async function makePrivate(dataDir: string): Promise<void> {
  const made = await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // mkdir's mode passes through the umask and also goes to parents that it had to make.
  if (made !== undefined) await chmod(dataDir, 0o700);
}

async function readPid(file: FileHandle): Promise<number | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
  const pid = Number.parseInt(buffer.toString("utf8", 0, bytesRead), 10);
  return Number.isNaN(pid) ? undefined : pid;
}
