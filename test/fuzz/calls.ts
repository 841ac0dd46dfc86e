import type { Random } from "../faults/random.js";
import type { Operation, Parameter } from "./document.js";
import { hostileValue, RAW_BODIES, spoilt } from "./hostile.js";
import type { Request } from "./transport.js";
import { type Source, validValue } from "./values.js";

/** A call before it is put into bytes, so that it can be made smaller. */
export interface Call {
  readonly operation: Operation;
  readonly caller: Caller;
  readonly path: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: none. */
  readonly body?: unknown;
  /** Sent instead of `body`, as it is. */
  readonly rawBody?: string;
}

export interface Caller {
  readonly name: string;
  /** Whose eyes the answer is for; "operator" and "nobody" are no tenants. */
  readonly tenant: string;
  readonly token?: string;
}

const LONGEST_URL = 6000;

/** As the description wants it; every fourth with one thing wrong. */
export function drawCall(source: Source, operation: Operation, caller: Caller): Call {
  const call = validCall(source, operation, caller);
  return source.random.chance(0.25) ? spoiltCall(source.random, call) : call;
}

function validCall(source: Source, operation: Operation, caller: Caller): Call {
  const { random } = source;
  const text = ({ name, schema }: Parameter) => String(validValue(source, schema, name));
  const of = (place: Parameter["in"]) =>
    operation.parameters
      .filter((parameter) => parameter.in === place)
      .filter(({ required }) => required || random.chance(0.15))
      .map((parameter) => [parameter.name, text(parameter)] as const);
  // Nobody waits here: how long something takes is not what is looked at.
  const query = of("query").map(([name, value]) => [name, name === "wait" ? "0" : value] as const);
  const { body } = operation;
  const withBody = body !== undefined && (body.required || random.chance(0.5));
  return {
    operation,
    caller,
    path: Object.fromEntries(of("path")),
    query,
    headers: Object.fromEntries(of("header")),
    ...(withBody && { body: validValue(source, body.schema) }),
  };
}

type Spoiling = (random: Random, call: Call) => Call;

const SPOILINGS: readonly Spoiling[] = [
  (random, call) => ({ ...call, body: spoilt(random, call.body ?? {}) }),
  (random, call) => ({ ...call, body: spoilt(random, call.body ?? {}) }),
  (random, call) => ({ ...call, body: spoilt(random, call.body ?? {}) }),
  (random, call) => ({ ...call, rawBody: random.pick(RAW_BODIES) }),
  (random, call) => ({
    ...call,
    query: [...call.query, [strangeName(random), strangeText(random)]],
  }),
  (_random, call) => ({ ...call, query: [...call.query, ...call.query, ["dryRun", "perhaps"]] }),
  (random, call) => {
    const names = Object.keys(call.path);
    if (names.length === 0) return call;
    return { ...call, path: { ...call.path, [random.pick(names)]: strangeText(random) || "-" } };
  },
  (random, call) => ({
    ...call,
    headers: {
      ...call.headers,
      "content-type": random.pick(["text/plain", "application/xml", "a"]),
    },
  }),
];

const spoiltCall = (random: Random, call: Call) => random.pick(SPOILINGS)(random, call);

const strangeName = (random: Random) =>
  random.pick(["extra", "limit", "cursor", "after", "tag:x", "id"]);

/** Short enough for a URL. */
function strangeText(random: Random): string {
  const value = hostileValue(random);
  return (typeof value === "string" ? value : JSON.stringify(value)).slice(0, LONGEST_URL / 10);
}

export function requestOf({
  operation,
  caller,
  path,
  query,
  headers,
  body,
  rawBody,
}: Call): Request {
  const place = operation.path.replaceAll(/\{(\w+)\}/g, (_, name) => encoded(path[name] ?? ""));
  const search = query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");
  const text = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
  // What is no GET may have a body; what has one names its type, unless it is to be wrong.
  const payload = operation.method === "GET" ? undefined : text;
  return {
    method: operation.method,
    url: search === "" ? place : `${place}?${search}`,
    headers: {
      ...(payload !== undefined && { "content-type": "application/json" }),
      ...headers,
      ...(caller.token !== undefined && { authorization: `Bearer ${caller.token}` }),
    },
    ...(payload !== undefined && { body: payload }),
  };
}

/** Lone surrogates have no encoding. */
const encoded = (text: string) => encodeURIComponent(text.replaceAll(/\p{Cs}/gu, "\ufffd"));

/** @returns calls with one part less each */
export function smaller(call: Call): Call[] {
  const { body, query, headers } = call;
  const fields = typeof body === "object" && body !== null ? Object.keys(body) : [];
  return [
    ...query.map((_, at) => ({ ...call, query: query.filter((_, index) => index !== at) })),
    ...Object.keys(headers).map((name) => ({ ...call, headers: without(headers, name) })),
    ...(Array.isArray(body)
      ? []
      : fields.map((name) => ({ ...call, body: without(Object(body), name) }))),
  ];
}

const without = <Value>(record: Readonly<Record<string, Value>>, name: string) =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
