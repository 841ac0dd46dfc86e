/** What an error and everything nested in it say, in the order found: outermost first. */
export interface ErrorFacts {
  readonly sqlStates: readonly string[];
  /** Prisma's own codes, "P1001" and so on. */
  readonly prismaCodes: readonly string[];
  /** Node's codes, "ECONNREFUSED" and so on. */
  readonly systemCodes: readonly string[];
  /** The driver adapter's names for mapped errors, "DatabaseNotReachable" and so on. */
  readonly adapterKinds: readonly string[];
  readonly constraints: readonly string[];
  readonly messages: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Deeper than any nesting seen (Prisma error, adapter error, mapped error, socket error). */
const maxNesting = 6;

const prismaCode = /^P[1-9]\d{3}$/;
const sqlState = /^(?=.*\d)[0-9A-Z]{5}$/;
const systemCode = /^E[A-Z_]+$/;

/** In the messages of both engines; Prisma's adapters keep the name in a field only sometimes. */
const constraintInMessage = /constraint "([^"]+)"/;

export function describeError(error: unknown): ErrorFacts {
  const layers = layersOf(error, maxNesting);
  const codes = layers.flatMap((layer) => strings(layer["code"], layer["originalCode"]));
  const messages = layers.flatMap((layer) => strings(layer["message"], layer["originalMessage"]));
  return {
    prismaCodes: codes.filter((code) => prismaCode.test(code)),
    sqlStates: codes.filter((code) => sqlState.test(code) && !prismaCode.test(code)),
    systemCodes: codes.filter((code) => systemCode.test(code)),
    adapterKinds: layers.flatMap((layer) => strings(layer["kind"])),
    constraints: [
      ...layers.flatMap(namedConstraint),
      ...messages.flatMap((message) => strings(constraintInMessage.exec(message)?.[1])),
    ],
    messages,
  };
}

function layersOf(value: unknown, depth: number): Fields[] {
  if (!isFields(value) || depth === 0) return [];
  const meta = value["meta"];
  const nested = [value["cause"], isFields(meta) ? meta["driverAdapterError"] : undefined];
  const several = value["errors"]; // of an AggregateError: one per address that was tried
  if (Array.isArray(several)) nested.push(...several);
  return [value, ...nested.flatMap((inner) => layersOf(inner, depth - 1))];
}

/** pg's errors carry a name, mapped ones `{ index }` or `{ fields }` (columns, of no use here). */
function namedConstraint(layer: Fields): string[] {
  const constraint = layer["constraint"];
  return strings(isFields(constraint) ? constraint["index"] : constraint);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function strings(...values: unknown[]): string[] {
  return values.filter((value) => typeof value === "string" && value !== "") as string[];
}
