import { statfsSync } from "node:fs";

/** Two segments of PostgreSQL's write-ahead log (16 MiB each), and as much for tables. */
const reserveBytes = 64 * 1024 * 1024;

export class DiskFullError extends Error {
  override readonly name = "DiskFullError";
  readonly code = "ENOSPC";

  constructor(directory: string, freeBytes: number) {
    const free = Math.floor(freeBytes / 1024 / 1024);
    const reserve = reserveBytes / 1024 / 1024;
    super(`${free} MiB are free for ${directory}, and the embedded database keeps ${reserve} MiB`);
  }
}

type FreeSpace = (directory: string) => { readonly bavail: number; readonly bsize: number };

/**
 * Throws while the disk is nearly full. PGlite 0.5.16 on a disk that filled up did not fail: it was
 * seen to hold the event loop, busy, for minutes. The likely place is its write-ahead log.
 * @throws DiskFullError
 */
export function assertFreeSpace(directory: string, freeSpace: FreeSpace = statfsSync): void {
  const { bavail, bsize } = freeSpace(directory);
  const freeBytes = bavail * bsize;
  if (freeBytes < reserveBytes) throw new DiskFullError(directory, freeBytes);
}
