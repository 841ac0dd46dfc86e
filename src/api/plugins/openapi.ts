import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { PROBLEM_MEDIA_TYPE } from "../problems/problem.js";
import {
  changesSomething,
  type OperationId,
  type RouteEntry,
  routeEntry,
} from "../rest/route-table.js";
import { UNCOUNTED_OPERATIONS } from "./authentication.js";
import { withDryRun } from "./dry-run-description.js";

const DESCRIPTION = `Tenants get isolated VPCs on Open vSwitch; two VPCs are connected by a peering
that one side asks for and the other accepts. Times are RFC 3339 in UTC. Every error is a problem
document (RFC 9457) with a stable \`code\`. HEAD is answered wherever GET is.`;

const SECURITY_SCHEME = "bearer";

declare module "fastify" {
  interface FastifyInstance {
    /** The description. Anybody may ask for it, so it is put into words once only. */
    descriptionText(): string;
  }
}

/** Serves the description of every route, made from the schemas that validate. */
export async function openApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Patchbay", version, description: DESCRIPTION },
      servers: [{ url: "/" }],
      components: {
        securitySchemes: { [SECURITY_SCHEME]: { type: "http", scheme: "bearer" } },
      },
    },
    transform: (input) => {
      const transformed = jsonSchemaTransform(input);
      const { operationId, rehearsedBody } = input.route.config ?? {};
      if (operationId === undefined) return transformed;
      const { response } = transformed.schema;
      if (changesSomething(routeEntry(operationId))) {
        transformed.schema.response = withDryRun(Object(response), rehearsedBody);
      }
      return { ...transformed, schema: described(transformed.schema, operationId) };
    },
    transformObject: (input) => tidied(jsonSchemaTransformObject(input)),
  });
  let text: string | undefined;
  app.decorate("descriptionText", () => (text ??= JSON.stringify(app.swagger())));
}

type Schema = ReturnType<typeof jsonSchemaTransform>["schema"];

function described(schema: Schema, operationId: OperationId): Schema {
  const { access } = routeEntry(operationId);
  const secured = access !== "anybody";
  const needs = secured && access.includes(":") ? `Needs the permission \`${access}\`.` : "";
  const description = [schema.description, needs].filter(Boolean).join("\n\n");
  const response = { ...problemResponses(operationId), ...successes(schema.response) };
  return {
    ...schema,
    description,
    security: secured ? [{ [SECURITY_SCHEME]: [] }] : [],
    response,
  };
}

function successes(response: unknown): Record<string, unknown> {
  const entries = Object.entries(response ?? {}).map(([status, schema]) => {
    const isBare = typeof schema !== "object" || "content" in schema || schema.type === "null";
    if (isBare) return [status, schema];
    return [status, { description: "Success", content: { "application/json": { schema } } }];
  });
  return Object.fromEntries(entries);
}

function problemResponses(operationId: OperationId): Record<string, unknown> {
  const statuses = problemStatuses(routeEntry(operationId));
  return Object.fromEntries(statuses.map((status) => [status, problemResponse(status)]));
}

function problemResponse(status: number) {
  const schema = { $ref: "#/components/schemas/Problem" };
  const description = PROBLEM_TEXTS[status] ?? "Error";
  const headers = problemHeaders(status);
  return { description, content: { [PROBLEM_MEDIA_TYPE]: { schema } }, ...headers };
}

function problemHeaders(status: number) {
  if (RETRY_AFTER.has(status)) return { headers: { "Retry-After": retryAfter } };
  return status === 415 ? { headers: TAKEN_INSTEAD } : {};
}

const TAKEN_INSTEAD = {
  Accept: { description: "The content type that is taken", schema: { type: "string" } },
  "Accept-Encoding": { description: "The encoding that is taken", schema: { type: "string" } },
};

/** Refusals that may pass by themselves. */
const RETRY_AFTER: ReadonlySet<number> = new Set([409, 429, 503]);

const retryAfter = {
  description: "Seconds after which the same call may succeed; absent when it will not by itself",
  schema: { type: "integer", minimum: 1 },
};

const PROBLEM_TEXTS: Readonly<Record<number, string>> = {
  400: "The request is not valid",
  401: "No valid credential",
  403: "The credential does not allow this",
  404: "Not found, or not visible to the caller",
  408: "The request did not come to its end in time",
  409: "In conflict with the present state",
  410: "Events after the given one are not there any more, or never were",
  413: "The body is too large",
  415: "The body has a content type or encoding that is not taken",
  429: "Too many requests",
  500: "Internal error",
  503: "Temporarily unavailable",
};

const UNCOUNTED: readonly string[] = UNCOUNTED_OPERATIONS.map((id) => routeEntry(id).url);

/** The errors that a route can answer with, from what it takes and who may call it. */
function problemStatuses({ access, method, url, resumes }: RouteEntry): number[] {
  const writes = method !== "GET";
  return [
    400,
    ...(url.startsWith("/v1/") ? [404] : []),
    ...(UNCOUNTED.includes(url) ? [] : [429]),
    ...(access === "anybody" ? [] : [401, 403]),
    ...(writes ? [408, 409, 413, 415] : []),
    ...(resumes ? [410] : []),
    500,
    ...(url.startsWith("/v1/") || url === "/readyz" ? [503] : []),
  ].sort();
}

type Document = ReturnType<typeof jsonSchemaTransformObject>;

/**
 * The generator declares every body as required, where one without required fields may be absent,
 * and a second schema of every component for requests, of which there is none here.
 */
function tidied(document: Document): Document {
  allowAbsentBodies(document);
  const schemas: Record<string, unknown> =
    "components" in document ? (document.components?.schemas ?? {}) : {};
  for (const name of Object.keys(schemas)) if (name.endsWith("Input")) delete schemas[name];
  return document;
}

function allowAbsentBodies(document: Document): void {
  const paths = Object.values(document.paths ?? {});
  const bodies = paths.flatMap((path) => [path?.post?.requestBody, path?.patch?.requestBody]);
  for (const body of bodies) {
    if (body === undefined || !("content" in body)) continue;
    const schema = body.content["application/json"]?.schema;
    if (schema !== undefined && !("required" in schema)) body.required = false;
  }
}
