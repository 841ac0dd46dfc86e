import { accessSync, constants, readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";

export class DataDirMovedError extends Error {
  override readonly name = "DataDirMovedError";
  /** As of a file on a server that has lost it. */
  readonly code = "ESTALE";

  constructor(path: string, cause?: unknown) {
    super(`${path} is not the file that was opened`, { cause });
  }
}

/** Where the cluster keeps its tables, its journal, and which transactions were committed. */
const FOLDERS = ["base", "pg_wal", "pg_xact"].map((name) => join("db", name));

/** Says which process has the directory: whoever copies another state into this one writes it too. */
const LOCK = "daemon.lock";

const MARKS = [join("db", "global", "pg_control"), LOCK, ...FOLDERS];

/**
 * Remembers which files the data directory consists of. The embedded database keeps its files open:
 * what it writes after the directory was moved away, removed or replaced goes where nobody will
 * look for it.
 * @returns throws unless what was opened is still in its place, in folders that can be written
 */
export function dataDirPlace(dataDir: string): () => void {
  const marks = MARKS.flatMap((name) => {
    const path = join(dataDir, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? [] : [{ path, stats }];
  });
  const folders = FOLDERS.map((name) => join(dataDir, name));
  const lock = join(dataDir, LOCK);
  const holder = contentOf(lock);
  return () => {
    for (const { path, stats } of marks) assertSame(path, stats);
    if (contentOf(lock) !== holder) throw new DataDirMovedError(lock);
    for (const folder of folders) {
      inPlace(folder, () => accessSync(folder, constants.W_OK | constants.X_OK));
    }
  };
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function assertSame(path: string, opened: Stats): void {
  const found = inPlace(path, () => statSync(path));
  if (found.ino !== opened.ino || found.dev !== opened.dev) throw new DataDirMovedError(path);
}

function inPlace<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw isMissing(error) ? new DataDirMovedError(path, error) : error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^(ENOENT|ENOTDIR)$/.test(String(error.code));
}
