import { describeError, type ErrorFacts } from "./error-facts.js";
import {
  first,
  type Trouble,
  troubleOfPrismaCode,
  troubleOfSqlState,
  troubleOfSurroundings,
} from "./trouble.js";

export type { Trouble } from "./trouble.js";

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

type Refusal = Exclude<StoreFailureKind, "unavailable" | "other">;

/** What an error code says: that a statement was refused, or that there is trouble. */
type Finding = { readonly refusal: Refusal } | { readonly trouble: Trouble };

/** SQLSTATE, PostgreSQL manual, appendix A. */
const refusalOfSqlState: Readonly<Record<string, Refusal>> = {
  "23505": "unique",
  "23P01": "exclusion",
  "23503": "foreign-key",
  "23001": "foreign-key",
  "23514": "check",
  "40001": "conflict",
  "40P01": "conflict",
};

/** Prisma error reference: https://www.prisma.io/docs/orm/reference/error-reference */
const refusalOfPrismaCode: Readonly<Record<string, Refusal>> = {
  P2002: "unique",
  P2003: "foreign-key",
  P2034: "conflict",
};

/**
 * Says what kind of failure a rejected Prisma, pg or PGlite call is, the same on both engines.
 *
 * "conflict" may succeed when the whole transaction is tried again; "unavailable" is a fault of the
 * database or of the way to it, not of the caller: see `databaseTrouble`.
 */
export function storeFailure(error: unknown): StoreFailure {
  const facts = describeError(error);
  const found = finding(facts);
  if (found === undefined) return { kind: "other" };
  const kind = "trouble" in found ? "unavailable" : found.refusal;
  const constraint = facts.constraints[0];
  return constraint === undefined ? { kind } : { kind, constraint };
}

/** What is wrong with the database; undefined when the failure does not come from that. */
export function databaseTrouble(error: unknown): Trouble | undefined {
  const found = finding(describeError(error));
  return found !== undefined && "trouble" in found ? found.trouble : undefined;
}

/** What the engine, Prisma or the system calls the failure; nothing of it is secret. */
export function failureCode(error: unknown): string | undefined {
  const { sqlStates, prismaCodes, systemCodes } = describeError(error);
  return sqlStates[0] ?? systemCodes[0] ?? prismaCodes[0];
}

/** The engine's own code says most, and Prisma's more than the driver's texts. */
function finding(facts: ErrorFacts): Finding | undefined {
  return (
    first(facts.sqlStates, (state) =>
      findingOf(refusalOfSqlState[state], troubleOfSqlState(state)),
    ) ??
    first(facts.prismaCodes, (code) =>
      findingOf(refusalOfPrismaCode[code], troubleOfPrismaCode(code)),
    ) ??
    findingOf(undefined, troubleOfSurroundings(facts))
  );
}

function findingOf(
  refusal: Refusal | undefined,
  trouble: Trouble | undefined,
): Finding | undefined {
  if (refusal !== undefined) return { refusal };
  return trouble === undefined ? undefined : { trouble };
}
