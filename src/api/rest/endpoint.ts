import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { DataPlaneView, Reconciling } from "../../domain/data-plane.js";
import type { Tracing } from "../../domain/reachability/trace.js";
import type { EventStreams } from "../../services/streams/streams.js";
import type { CursorCodec } from "./cursor.js";
import { unconfirmedSchema } from "./data-plane/schema.js";
import { idempotencyHeaders } from "./idempotency-header.js";
import { dryRunQuery, followedQuery } from "./query.js";
import { changesSomething, type OperationId, type RouteEntry, routeEntry } from "./route-table.js";

declare module "fastify" {
  interface FastifyContextConfig {
    operationId?: OperationId;
    rehearsedBody?: z.ZodType;
  }
}

/** What the routes work with, besides the `services` of each request. */
export interface RestDeps {
  readonly view: DataPlaneView;
  readonly reconciling: Reconciling;
  readonly tracing: Tracing;
  readonly cursors: CursorCodec;
  readonly streams: EventStreams;
}

export interface EndpointSchema {
  readonly params?: z.ZodType;
  readonly querystring?: z.ZodType;
  readonly headers?: z.ZodType;
  readonly body?: z.ZodType;
  readonly response: Readonly<Record<number, z.ZodType>>;
  /** What a dry run shows of the body, when that is not all of it. */
  readonly rehearsedBody?: z.ZodType;
  /** More than the summary, for the API description. */
  readonly description?: string;
}

/**
 * The route options of an operation, except its handler: place and access are the table's. Query
 * parameters that it does not know are refused, whatever its method.
 */
export function endpoint<const S extends EndpointSchema>(operationId: OperationId, schema: S) {
  const entry = routeEntry(operationId);
  const { method, url, tag, summary } = entry;
  const headers = changesSomething(entry) ? { headers: idempotencyHeaders } : {};
  const querystring = parametersOf(entry, schema.querystring) as QueryOf<S>;
  const { rehearsedBody, ...shape } = schema;
  const response: S["response"] = answersOf(entry, schema.response);
  const described = { ...(shape as S), querystring, response, operationId, summary, tags: [tag] };
  const documented = { ...headers, ...described };
  const config = { operationId, ...(rehearsedBody !== undefined && { rehearsedBody }) };
  return { method, url, config, schema: documented };
}

const noParameters = z.strictObject({});

function parametersOf(entry: RouteEntry, own: z.ZodType = noParameters): z.ZodType {
  if (!changesSomething(entry)) return own;
  if (!(own instanceof z.ZodObject)) throw new TypeError(`${entry.url}: no object of parameters`);
  return own.extend(dryRunQuery).extend(entry.followed === true ? followedQuery : {});
}

/** A change without an answer of its own is not said to be done before it is in force. */
function answersOf<S extends EndpointSchema>(entry: RouteEntry, own: S["response"]): S["response"] {
  return entry.followed === true && 204 in own ? { ...own, 202: unconfirmedSchema } : own;
}

type QueryOf<S extends EndpointSchema> = S extends {
  readonly querystring: infer Q extends z.ZodType;
}
  ? Q
  : typeof noParameters;

export function typed(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>();
}

/** A group of routes, registered on the scope that asks for credentials. */
export type RouteGroup = (scope: FastifyInstance, deps: RestDeps) => void;
