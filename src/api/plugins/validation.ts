import type { FastifyInstance, FastifyRequest } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import { z } from "zod";
import { readJson } from "../json/read.js";
import { RequestInvalid, type RequestPart, requestInvalid } from "../problems/request-invalid.js";
import { WORDING } from "../problems/wording.js";

const PARTS: Readonly<Record<string, RequestPart>> = {
  body: "body",
  querystring: "query",
  params: "path",
  headers: "header",
};

/** No parameter of ours, and left out by schemas of objects that take further keys. */
const UNSEEN = "__proto__";

/** Validates requests and shapes responses by the routes' zod schemas. */
export function schemaValidation(app: FastifyInstance): void {
  app.setSerializerCompiler(serializerCompiler);
  // Our own in place of the type provider's, which flattens paths: a tag may hold a slash.
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => {
    const part = PARTS[httpPart ?? "body"] ?? "body";
    return (data: unknown) => {
      if (part === "query" && Object.hasOwn(Object(data), UNSEEN)) {
        return { error: RequestInvalid.parameter(part, UNSEEN, "unknown parameter") };
      }
      const result = schema.safeParse(part === "body" ? (data ?? undefined) : data, WORDING);
      if (result.success) return { value: result.data };
      return { error: requestInvalid(part, result.error.issues) };
    };
  });
}

/** Reads JSON bodies, where an empty one counts as none; refuses bodies where none is expected. */
export function jsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(
    "application/json",
    { parseAs: "buffer" },
    async (_request: FastifyRequest, body: Buffer) => readJson(body),
  );
  app.addHook("preValidation", async (request) => {
    if (request.body === undefined || request.routeOptions.schema?.body !== undefined) return;
    if (z.strictObject({}).safeParse(request.body).success) return;
    throw new RequestInvalid([{ pointer: "", detail: "this call takes no body" }]);
  });
}
