import { setTimeout as delay } from "node:timers/promises";
import { DATABASE_TROUBLES } from "../services/database-trouble.js";
import type { Admit } from "../store/database/admit.js";
import { databaseTrouble, failureCode, type Trouble } from "../store/database/errors.js";
import { DatabaseHeldError, type DatabaseHold } from "../store/database/hold.js";
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
  readonly admit: Admit;
  /** To be had before the database is opened. */
  readonly hold: DatabaseHold | undefined;
}

/** What no waiting mends; of the rest, as when PostgreSQL is starting, some passes by itself. */
const LASTING: ReadonlySet<Trouble> = new Set<Trouble>(["refused", "missing"]);
const BROKEN: ReadonlySet<Trouble> = new Set<Trouble>(["damaged", "moved", "closed"]);

/**
 * Opens and migrates the database. A PostgreSQL that does not answer yet, as when both start
 * together, is waited for.
 * @throws StartupError when it does not answer in time
 */
export async function openDatabasePatiently(options: Options): Promise<Database> {
  const { databaseUrl, dataDir, log, signal, admit, hold } = options;
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await hold?.take();
      return await openDatabase({
        dataDir,
        log,
        admit,
        ...(databaseUrl !== undefined && { databaseUrl }),
      });
    } catch (error) {
      // Whoever has said what is wrong has looked at the database.
      if (error instanceof StartupError || error instanceof DatabaseHeldError) throw error;
      const trouble = databaseUrl === undefined ? undefined : databaseTrouble(error);
      if (trouble === undefined || BROKEN.has(trouble)) throw error;
      if (LASTING.has(trouble)) throw refused(trouble, error);
      if (performance.now() + RETRY_MS > deadline) throw gaveUp(trouble, error);
      log.warn({ err: error, trouble }, "PostgreSQL does not answer yet; trying again");
    }
    await delay(RETRY_MS, undefined, { signal });
  }
}

function gaveUp(trouble: Trouble, cause: unknown): StartupError {
  const seconds = PATIENCE_MS / 1000;
  const why = described(trouble, cause);
  const message = `PostgreSQL (DATABASE_URL) could not be used within ${seconds} s: ${why}`;
  return new StartupError(message, { cause });
}

function refused(trouble: Trouble, cause: unknown): StartupError {
  const why = described(trouble, cause);
  return new StartupError(`PostgreSQL (DATABASE_URL) cannot be used: ${why}`, { cause });
}

function described(trouble: Trouble, cause: unknown): string {
  const code = failureCode(cause);
  return `${DATABASE_TROUBLES[trouble].advice}${code === undefined ? "" : ` (${code})`}`;
}
