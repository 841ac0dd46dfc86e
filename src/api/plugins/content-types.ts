import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { HttpRefusal } from "../problems/http-refusal.js";

const JSON_TYPE = "application/json";

/** RFC 8259, section 8.1: nothing else; and how it is spelled. */
const UTF8 = /^utf-?8$/i;
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;

/** For how methods tell what bodies they take (RFC 5789, section 3.1; LDP, section 7.1). */
const ACCEPT_FIELDS: Readonly<Record<string, string>> = {
  POST: "accept-post",
  PATCH: "accept-patch",
};

/** Header fields that tell what these methods take. */
export function acceptFields(methods: readonly string[]): Record<string, string> {
  const fields = methods.flatMap((method) => ACCEPT_FIELDS[method] ?? []);
  return Object.fromEntries(fields.map((field) => [field, JSON_TYPE]));
}

/** What comes with these means nothing (RFC 9110, section 9.3.1), whatever it is called. */
const IGNORING_BODIES: readonly string[] = ["GET", "HEAD"];

/**
 * Refuses bodies that are not JSON in UTF-8, as it is, before anything of them is read. One that is
 * empty is none, whatever it is called.
 */
export function requireJson(app: FastifyInstance): void {
  app.addHook("preParsing", async (request) => {
    const { headers, method } = request;
    requireKnownTransfer(headers);
    if (IGNORING_BODIES.includes(method)) return;
    if (hasBody(headers)) requireNoEncoding(headers);
    if (hasBody(headers) || isNoMediaType(request)) requireJsonType(request);
  });
  app.addContentTypeParser("*", (_request, _payload, done) => done(null, undefined));
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  const { "content-length": length = "0" } = headers;
  return headers["transfer-encoding"] !== undefined || Number(length) > 0;
}

/** RFC 9112, section 6.1. */
function requireKnownTransfer({ "transfer-encoding": coding }: IncomingHttpHeaders): void {
  if (coding === undefined || coding.trim().toLowerCase() === "chunked") return;
  const detail = `The transfer coding is ${coding}; chunked is the only one that is known here.`;
  throw new HttpRefusal({ code: "NotImplemented", detail });
}

function requireNoEncoding({ "content-encoding": codings = "" }: IncomingHttpHeaders): void {
  const names = codings.split(",").map((coding) => coding.trim().toLowerCase());
  if (names.every((coding) => coding === "" || coding === "identity")) return;
  const detail = `The body is encoded with ${codings}; it is taken without any encoding only.`;
  throw notTaken(detail, { "accept-encoding": "identity" });
}

function isNoMediaType({ headers, mediaType }: FastifyRequest): boolean {
  return headers["content-type"] !== undefined && mediaType === undefined;
}

function requireJsonType({ headers, mediaType, method }: FastifyRequest): void {
  const { "content-type": given } = headers;
  const charset = CHARSET.exec(given ?? "")?.[1];
  if (mediaType === JSON_TYPE && (charset === undefined || UTF8.test(charset))) return;
  const what =
    given === undefined ? "The body has no content type" : `The body is of type ${given}`;
  const detail = `${what}; taken is ${JSON_TYPE} in UTF-8 only.`;
  throw notTaken(detail, { accept: JSON_TYPE, ...acceptFields([method]) });
}

/** RFC 9110, section 15.5.16: header fields tell what is taken instead. */
function notTaken(detail: string, headers: Readonly<Record<string, string>>): HttpRefusal {
  return new HttpRefusal({ code: "UnsupportedMediaType", detail, headers });
}
