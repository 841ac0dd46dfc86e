import { setTimeout as delay } from "node:timers/promises";
import { DomainError } from "../domain/errors.js";
import { storeFailure } from "../store/database/errors.js";
import { type Database, openDatabase } from "../store/database/open.js";
import { StartupError } from "./startup-error.js";

const PATIENCE_MS = 30_000;
const RETRY_MS = 1000;

interface Options {
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
    error(details: object, message: string): void;
  };
  readonly signal: AbortSignal;
}

/**
 * Opens and migrates the database. A PostgreSQL that does not answer yet, as when both start
 * together, is waited for.
 * @throws StartupError when it does not answer in time
 */
export async function openDatabasePatiently(options: Options): Promise<Database> {
  const { databaseUrl, dataDir, log, signal } = options;
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await openDatabase({
        dataDir,
        log,
        ...(databaseUrl !== undefined && { databaseUrl }),
      });
    } catch (error) {
      if (databaseUrl === undefined || storeFailure(error).kind !== "unavailable") throw error;
      if (performance.now() + RETRY_MS > deadline) throw gaveUp(error);
      log.warn({ err: error }, "PostgreSQL does not answer yet; trying again");
    }
    await delay(RETRY_MS, undefined, { signal });
  }
}

function gaveUp(cause: unknown): StartupError {
  const seconds = PATIENCE_MS / 1000;
  const message = `PostgreSQL (DATABASE_URL) did not answer within ${seconds} s`;
  return new StartupError(message, { cause });
}

/** A database that is away is a temporary condition and not a fault of the request. */
export function explainFailure(error: unknown): DomainError | undefined {
  if (storeFailure(error).kind !== "unavailable") return undefined;
  return new DomainError("ServiceUnavailable", "The database does not answer at present.", {
    cause: error,
  });
}
