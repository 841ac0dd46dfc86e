import { readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "./error-facts.js";
import { messageOf } from "./message-of.js";

/** The embedded database is there and cannot be used. */
export class DamagedDatabaseError extends Error {
  override readonly name = "DamagedDatabaseError";

  constructor(
    readonly directory: string,
    what: string,
    cause?: unknown,
  ) {
    super(
      `the embedded database in ${directory} is damaged or incomplete (${what}): ` +
        "stop here, keep a copy of that directory, and restore the whole data directory from a backup",
      { cause },
    );
  }
}

/** As `initdb` of the embedded PostgreSQL writes it. */
const VERSION = "18";

/** What a cluster always has, besides the files that are named on opening it. */
const FOLDERS = ["base", "global", "pg_multixact", "pg_wal", "pg_xact"];
const FILES = ["global/pg_control", "postgresql.conf"];

/**
 * Looks at a cluster from outside: where there is none to be seen, PGlite would make a new one over
 * what is left.
 * @throws DamagedDatabaseError
 */
export function assertWholeCluster(directory: string): void {
  const fail = (what: string, cause?: unknown): never => {
    throw new DamagedDatabaseError(directory, what, cause);
  };
  const read = <T>(path: string, look: (path: string) => T): T => {
    try {
      return look(join(directory, path));
    } catch (error) {
      return fail(`${path || "it"} cannot be read: ${messageOf(error)}`, error);
    }
  };
  if (!read("", facts).isDirectory()) fail("it is not a directory");
  const version = read("PG_VERSION", readText).trim();
  if (version !== VERSION) fail(`PG_VERSION is ${JSON.stringify(version)} and not ${VERSION}`);
  for (const folder of FOLDERS) {
    if (!read(folder, facts).isDirectory()) fail(`${folder} is not a directory`);
  }
  for (const file of FILES) if (read(file, facts).size === 0) fail(`${file} is empty`);
}

/** Whether there is nothing yet, so that a new cluster takes nobody's place. */
export function hasNoCluster(directory: string): boolean {
  const found = statSync(directory, { throwIfNoEntry: false });
  return found === undefined || (found.isDirectory() && readdirSync(directory).length === 0);
}

/** XX: internal errors and corrupted data. 58: system errors, a missing file among them. */
const DAMAGE = /^(XX|58)/;

/** A damage is told by these only while the database is being opened: later it may be any fault. */
export function damageOf(error: unknown): string | undefined {
  const { sqlStates, messages } = describeError(error);
  return sqlStates.some((state) => DAMAGE.test(state)) ? messages[0] : undefined;
}

function facts(path: string): Stats {
  return statSync(path);
}

function readText(path: string): string {
  return readFileSync(path, "utf8");
}
