import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { DataPlaneView, Reconciling } from "../../domain/data-plane.js";
import type { Tracing } from "../../domain/reachability/trace.js";
import type { ServiceContext } from "../../services/context.js";
import type { StreamTurns } from "../../services/streams/streams.js";
import type { CursorCodec } from "./cursor.js";
import { idempotencyHeaders } from "./idempotency-header.js";
import { changesSomething, type OperationId, routeEntry } from "./route-table.js";

declare module "fastify" {
  interface FastifyContextConfig {
    operationId?: OperationId;
  }
}

/** What the routes work with. */
export interface RestDeps {
  readonly context: ServiceContext;
  readonly view: DataPlaneView;
  readonly reconciling: Reconciling;
  readonly tracing: Tracing;
  readonly cursors: CursorCodec;
  readonly streamTurns: StreamTurns;
}

export interface EndpointSchema {
  readonly params?: z.ZodType;
  readonly querystring?: z.ZodType;
  readonly headers?: z.ZodType;
  readonly body?: z.ZodType;
  readonly response: Readonly<Record<number, z.ZodType>>;
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
  const querystring = (schema.querystring ?? noParameters) as QueryOf<S>;
  const documented = { ...headers, ...schema, querystring, operationId, summary, tags: [tag] };
  return { method, url, config: { operationId }, schema: documented };
}

const noParameters = z.strictObject({});

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
