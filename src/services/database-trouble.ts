import { DomainError, type ErrorCode } from "../domain/errors.js";
import { databaseTrouble, storeFailure, type Trouble } from "../store/database/errors.js";

interface Telling {
  readonly code: ErrorCode;
  /** For callers: what works and what does not, and nothing of how the database is run. */
  readonly detail: string;
  /** For the operator: what to look at. */
  readonly advice: string;
}

/** What is said of each kind of trouble. */
export const DATABASE_TROUBLES: Readonly<Record<Trouble, Telling>> = {
  unreachable: {
    code: "DatabaseUnreachable",
    detail: "The database does not answer at present.",
    advice: "it cannot be reached, is starting or has ended the connection",
  },
  refused: {
    code: "DatabaseRefused",
    detail: "The database refuses this service access at present.",
    advice: "it refuses the login, or a permission is missing",
  },
  missing: {
    code: "DatabaseMissing",
    detail: "The database is not there at present.",
    advice: "the server has no database of this name",
  },
  damaged: {
    code: "DatabaseDamaged",
    detail: "A part of the database is missing or cannot be read at present.",
    advice: "a table, a column, a row or a file that has to be there is missing or unreadable",
  },
  moved: {
    code: "DatabaseMoved",
    detail: "The files of the database are not where they belong. Nothing was changed.",
    advice:
      "the data directory was moved away, removed or replaced while the daemon runs: put it back, or stop the daemon before",
  },
  "read-only": {
    code: "DatabaseReadOnly",
    detail: "The database takes no changes at present; what is stored can be read.",
    advice: "it is read-only: a standby, default_transaction_read_only, or a read-only disk",
  },
  full: {
    code: "DatabaseFull",
    detail: "The database has no room for changes at present; what is stored can be read.",
    advice: "its disk is full",
  },
  crowded: {
    code: "DatabaseBusy",
    detail: "The database has no room for another connection at present. Nothing was changed.",
    advice: "no connection is free: too many are in use, here or at the server",
  },
  locked: {
    code: "DatabaseLocked",
    detail: "Something that is needed for this is locked in the database. Nothing was changed.",
    advice: "a transaction of somebody else holds a lock: see pg_locks and pg_stat_activity",
  },
  slow: {
    code: "DatabaseTimeout",
    detail: "The database did not do this in time. A change that was asked for may be stored.",
    advice: "it does not answer in time, or ends statements before they are done",
  },
  closed: {
    code: "ServiceUnavailable",
    detail: "The service is not connected to its database: it is starting or stopping.",
    advice: "the daemon has closed its connections",
  },
};

/** Trouble with the database is a temporary condition and not a fault of the request. */
export function explainFailure(error: unknown): DomainError | undefined {
  const trouble = databaseTrouble(error);
  if (trouble !== undefined) {
    const { code, detail } = DATABASE_TROUBLES[trouble];
    return new DomainError(code, detail, { cause: error });
  }
  return storeFailure(error).kind === "conflict" ? collision(error) : undefined;
}

/** Of transactions that were begun anew as often as is sensible. */
function collision(cause: unknown): DomainError {
  const detail = "Too many changes to the same things were made at once. Nothing was changed.";
  return new DomainError("DatabaseBusy", detail, { cause });
}
