import type { ErrorFacts } from "./error-facts.js";

/** What may be wrong with the database, or with the way to it, that is no caller's fault. */
export type Trouble =
  | "unreachable"
  | "refused"
  | "missing"
  | "damaged"
  | "moved"
  | "read-only"
  | "full"
  | "crowded"
  | "locked"
  | "slow"
  | "closed";

/** SQLSTATE, PostgreSQL manual, appendix A. */
const ofSqlState: Readonly<Record<string, Trouble>> = {
  "23502": "damaged", // we give every column that we know a value
  "25006": "read-only", // a standby, default_transaction_read_only, a remounted disk
  "25P03": "slow", // we sat idle inside a transaction for too long, and were cut off
  "25P04": "slow",
  "3D000": "missing",
  "3F000": "damaged",
  "42501": "refused",
  // What is asked for is fixed, and was there when the daemon started.
  "42703": "damaged",
  "42704": "damaged",
  "42804": "damaged",
  "42809": "damaged",
  "42883": "damaged",
  "42P01": "damaged",
  "42P10": "damaged",
  "53100": "full",
  "55000": "refused", // a database that takes no connections
  "55006": "crowded",
  "55P03": "locked",
  "57014": "slow",
  "57P04": "missing",
};

/** Whole classes, for states that are not listed above. */
const ofSqlStateClass: Readonly<Record<string, Trouble>> = {
  "08": "unreachable",
  "0A": "damaged",
  "26": "damaged",
  "28": "refused",
  "53": "crowded",
  "57": "unreachable",
  "58": "damaged",
  F0: "damaged",
  HV: "damaged", // a table that is another server's
  P0: "damaged", // raised by a trigger, and we have none
  XX: "damaged",
};

/** Prisma error reference: https://www.prisma.io/docs/orm/reference/error-reference */
const ofPrismaCode: Readonly<Record<string, Trouble>> = {
  P1000: "refused",
  P1001: "unreachable",
  P1002: "unreachable",
  P1003: "missing",
  P1008: "slow",
  P1010: "refused",
  P1011: "unreachable",
  P1017: "unreachable",
  P2011: "damaged",
  P2021: "damaged",
  P2022: "damaged",
  P2023: "damaged",
  P2024: "crowded",
  P2028: "slow",
  P2037: "crowded",
};

const ofAdapterKind: Readonly<Record<string, Trouble>> = {
  DatabaseNotReachable: "unreachable",
  ConnectionClosed: "unreachable",
  TlsConnectionError: "unreachable",
  SocketTimeout: "slow",
  TooManyConnections: "crowded",
  DatabaseDoesNotExist: "missing",
  DatabaseAccessDenied: "refused",
  AuthenticationFailed: "refused",
  TableDoesNotExist: "damaged",
  ColumnNotFound: "damaged",
};

const ofSystemCode: Readonly<Record<string, Trouble>> = {
  ECONNREFUSED: "unreachable",
  ECONNRESET: "unreachable",
  EPIPE: "unreachable",
  ETIMEDOUT: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ENOTFOUND: "unreachable",
  EAI_AGAIN: "unreachable",
  ENOENT: "unreachable", // the unix socket of a server that is not there
  EACCES: "refused",
  EPERM: "refused",
  EMFILE: "crowded",
  ENFILE: "crowded",
  ENOSPC: "full",
  EDQUOT: "full",
  EROFS: "read-only",
  EIO: "damaged",
  ESTALE: "moved",
};

/** Texts of pg, pg-pool, Prisma's pg adapter and PGlite for failures that carry no code. */
const ofMessage: ReadonlyArray<readonly [RegExp, Trouble]> = [
  [/^Connection terminated/m, "unreachable"],
  [/^Client has encountered a connection error/m, "unreachable"],
  [/^Client was closed and is not queryable/m, "unreachable"],
  [/^timeout exceeded when trying to connect/m, "crowded"], // waited for one of the pool's
  [/^Query read timeout/m, "slow"],
  [/^SASL: /m, "refused"],
  [/^Cannot use a pool after calling end/m, "closed"],
  [/^PGlite is (closed|closing)/m, "closed"],
  [/^The embedded database has stopped/m, "closed"],
];

export function troubleOfSqlState(state: string): Trouble | undefined {
  return ofSqlState[state] ?? ofSqlStateClass[state.slice(0, 2)];
}

export function troubleOfPrismaCode(code: string): Trouble | undefined {
  return ofPrismaCode[code];
}

/** For failures that neither the engine nor Prisma has given a code. */
export function troubleOfSurroundings(facts: ErrorFacts): Trouble | undefined {
  const { adapterKinds, systemCodes, messages } = facts;
  return (
    first(adapterKinds, (kind) => ofAdapterKind[kind]) ??
    first(systemCodes, (code) => ofSystemCode[code]) ??
    first(messages, (message) => ofMessage.find(([pattern]) => pattern.test(message))?.[1])
  );
}

export function first<T>(
  names: readonly string[],
  find: (name: string) => T | undefined,
): T | undefined {
  for (const name of names) {
    const found = find(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
