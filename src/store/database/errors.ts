import { describeError, type ErrorFacts } from "./error-facts.js";

export type StoreFailureKind =
  | "unique"
  | "exclusion"
  | "foreign-key"
  | "check"
  | "unavailable"
  | "conflict"
  | "other";

export interface StoreFailure {
  readonly kind: StoreFailureKind;
  /** Name of the violated constraint or index, as in the migrations, where the engine tells it. */
  readonly constraint?: string;
}

/** SQLSTATE, PostgreSQL manual, appendix A. */
const kindOfSqlState: Readonly<Record<string, StoreFailureKind>> = {
  "23505": "unique",
  "23P01": "exclusion",
  "23503": "foreign-key",
  "23001": "foreign-key",
  "23514": "check",
  "40001": "conflict",
  "40P01": "conflict",
  "25P03": "unavailable", // we sat idle inside a transaction for too long, and were cut off
  "25006": "unavailable", // read-only: a standby, or a disk that the system remounted
  "57P01": "unavailable",
  "57P02": "unavailable",
  "57P03": "unavailable",
  "57P05": "unavailable",
  "58030": "unavailable",
};

/** Whole classes: connection exceptions, insufficient resources (disk full, too many clients). */
const unavailableSqlStateClasses = new Set(["08", "53"]);

/** Prisma error reference: https://www.prisma.io/docs/orm/reference/error-reference */
const kindOfPrismaCode: Readonly<Record<string, StoreFailureKind>> = {
  P1001: "unavailable",
  P1002: "unavailable",
  P1008: "unavailable",
  P1011: "unavailable",
  P1017: "unavailable",
  P2002: "unique",
  P2003: "foreign-key",
  P2024: "unavailable",
  P2028: "unavailable",
  P2034: "conflict",
  P2037: "unavailable",
};

const unavailableAdapterKinds = new Set([
  "DatabaseNotReachable",
  "SocketTimeout",
  "ConnectionClosed",
  "TlsConnectionError",
  "TooManyConnections",
]);

const unavailableSystemCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT", // the unix socket of a server that is not there
  "ENOSPC",
  "EIO",
  "EROFS",
]);

/** Texts of pg, pg-pool, Prisma's pg adapter and PGlite for failures that carry no code. */
const unavailableMessages = [
  /^Connection terminated/m,
  /^timeout exceeded when trying to connect/m,
  /^Query read timeout/m,
  /^Cannot use a pool after calling end/m,
  /^Client has encountered a connection error/m,
  /^Client was closed and is not queryable/m,
  /^PGlite is (closed|closing)/m,
  /^The embedded database has stopped/m,
];

/**
 * Says what kind of failure a rejected Prisma, pg or PGlite call is, the same on both engines.
 *
 * "conflict" may succeed when the whole transaction is tried again; "unavailable" is a fault of the
 * database or of the way to it, not of the caller.
 */
export function storeFailure(error: unknown): StoreFailure {
  const facts = describeError(error);
  const kind = kindOf(facts);
  const constraint = facts.constraints[0];
  return constraint === undefined ? { kind } : { kind, constraint };
}

function kindOf(facts: ErrorFacts): StoreFailureKind {
  return (
    facts.sqlStates.map(kindOfState).find((kind) => kind !== undefined) ??
    facts.prismaCodes.map((code) => kindOfPrismaCode[code]).find((kind) => kind !== undefined) ??
    (isUnavailable(facts) ? "unavailable" : "other")
  );
}

function kindOfState(state: string): StoreFailureKind | undefined {
  if (unavailableSqlStateClasses.has(state.slice(0, 2))) return "unavailable";
  return kindOfSqlState[state];
}

function isUnavailable({ adapterKinds, systemCodes, messages }: ErrorFacts): boolean {
  return (
    adapterKinds.some((kind) => unavailableAdapterKinds.has(kind)) ||
    systemCodes.some((code) => unavailableSystemCodes.has(code)) ||
    messages.some((message) => unavailableMessages.some((pattern) => pattern.test(message)))
  );
}
