import type { PrismaClient } from "../generated/prisma/client.js";
import { databaseTrouble, failureCode } from "../store/database/errors.js";
import { probeReads, probeWrites } from "../store/database/probe.js";
import { DATABASE_TROUBLES } from "./database-trouble.js";

/** How long the database may take to answer before it counts as not answering. */
const LIMIT_MS = 2000;
/** For how long it is believed to work without another look: everybody may ask. */
const BELIEVED_MS = 500;

interface Log {
  warn(details: object, message: string): void;
}

/** What is wrong with each use of the database, for the operator; undefined while it works. */
export interface DatabaseHealth {
  readonly reads: string | undefined;
  readonly writes: string | undefined;
}

/** Tries out what works with the database: one look at a time, however many ask. */
export function databaseHealth(
  db: PrismaClient,
  log: Log,
  limitMs = LIMIT_MS,
): () => Promise<DatabaseHealth> {
  const reads = new Probe(() => probeReads(db), "the database cannot be read", log);
  const writes = new Probe(() => probeWrites(db), "the database takes no changes", log);
  return async () => {
    const looks = [reads, writes].map((probe) => withinLimit(probe.trouble(), limitMs));
    const [readTrouble, writeTrouble] = await Promise.all(looks);
    // Whoever changes something reads before.
    return { reads: readTrouble, writes: writeTrouble ?? readTrouble };
  };
}

class Probe {
  readonly #run: () => Promise<void>;
  readonly #complaint: string;
  readonly #log: Log;
  #looking: Promise<string | undefined> | undefined;
  #workedAt = Number.NEGATIVE_INFINITY;
  #said: string | undefined;

  constructor(run: () => Promise<void>, complaint: string, log: Log) {
    this.#run = run;
    this.#complaint = complaint;
    this.#log = log;
  }

  /** An earlier look that still hangs is waited for instead of beginning another. */
  async trouble(): Promise<string | undefined> {
    if (performance.now() - this.#workedAt < BELIEVED_MS) return undefined;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<string | undefined> {
    const begun = performance.now();
    try {
      await this.#run();
      this.#workedAt = begun;
      this.#said = undefined;
    } catch (error) {
      const trouble = described(error);
      if (trouble !== this.#said) this.#log.warn({ err: error }, this.#complaint);
      this.#said = trouble;
    }
    return this.#said;
  }
}

function described(error: unknown): string {
  const trouble = databaseTrouble(error);
  const advice = trouble === undefined ? "see the log" : DATABASE_TROUBLES[trouble].advice;
  const code = failureCode(error);
  return code === undefined ? advice : `${advice} (${code})`;
}

function withinLimit(
  looking: Promise<string | undefined>,
  limitMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const late = () => resolve(`no answer within ${limitMs / 1000} s`);
    const timer = setTimeout(late, limitMs).unref();
    void looking.then((trouble) => {
      clearTimeout(timer);
      resolve(trouble);
    });
  });
}
