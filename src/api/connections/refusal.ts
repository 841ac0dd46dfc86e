import { METHODS, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { PROBLEM_MEDIA_TYPE, type ProblemContent, problemDocument } from "../problems/problem.js";
import type { Connection } from "./connection.js";

const TIMED_OUT: ProblemContent = {
  code: "RequestTimeout",
  detail: "The request did not come to its end in time.",
};

const BY_PARSER: Readonly<Record<string, ProblemContent>> = {
  ERR_HTTP_REQUEST_TIMEOUT: TIMED_OUT,
  HPE_HEADER_OVERFLOW: {
    code: "RequestHeaderFieldsTooLarge",
    detail: "The header of the request is too large.",
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    code: "PayloadTooLarge",
    detail: "The chunks of the body have too many extensions.",
  },
};

const MALFORMED: ProblemContent = {
  code: "ValidationError",
  detail: "This is not an HTTP request that can be read.",
};

/**
 * Answers what is no request, or does not become one, where HTTP still allows it: not before
 * earlier requests have their answers, nor when this one has its own, nor to those who never said
 * a word.
 */
export function refuse(error: unknown, connection: Connection, lingerMs: number): void {
  if (connection.refused) return;
  connection.refused = true;
  const problem = problemOf(error);
  if (problem === undefined) connection.destroy();
  else afterEarlierAnswers(connection, () => answer(connection, problem, lingerMs));
}

function answer(connection: Connection, problem: ProblemContent, lingerMs: number): void {
  const { socket } = connection;
  if (mayAnswer(connection)) socket.end(answerText(problem, connection.unfinishedPath()));
  else socket.end();
  linger(socket, lingerMs);
}

/** RFC 9110, section 15.6.2: of a method that HTTP could have, and that is not known. */
const UNKNOWN_METHOD: ProblemContent = {
  code: "NotImplemented",
  detail: "This is not a method that is known here.",
};

/** RFC 9112, section 3; the method is a token of RFC 9110, section 5.6.2. */
const REQUEST_LINE = /^([!#$%&'*+.^_`|~\w-]+) \S+ HTTP\/1\.[01]\r\n/;

/** Undefined when the connection itself is broken, or its TLS. */
function problemOf(error: unknown): ProblemContent | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "HPE_INVALID_METHOD" && hasUnknownMethod(error)) return UNKNOWN_METHOD;
  return BY_PARSER[code] ?? (code.startsWith("HPE_") ? MALFORMED : undefined);
}

/** Of what came together and could not be read, the first line is looked at. */
function hasUnknownMethod(error: unknown): boolean {
  if (!(error instanceof Error && "rawPacket" in error)) return false;
  const { rawPacket } = error;
  const [, method] =
    REQUEST_LINE.exec(Buffer.isBuffer(rawPacket) ? rawPacket.toString("latin1") : "") ?? [];
  return method !== undefined && !METHODS.includes(method);
}

function afterEarlierAnswers({ open }: Connection, then: () => void): void {
  const earlier = [...open].filter(({ request }) => request.complete);
  const latest = earlier.at(-1);
  if (latest === undefined) then();
  else latest.response.once("close", then);
}

function mayAnswer(connection: Connection): boolean {
  const { socket, last } = connection;
  if (!socket.writable || socket.bytesRead === 0) return false;
  const isAnswered = last !== undefined && !last.request.complete && last.response.headersSent;
  return !isAnswered;
}

function answerText(problem: ProblemContent, instance: string): string {
  const document = problemDocument(problem, instance);
  const body = JSON.stringify(document);
  return [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
    `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}

/** Closed at once, what the client still sends would take the answer from it. */
function linger(socket: Socket, ms: number): void {
  const limit = setTimeout(() => socket.destroy(), ms).unref();
  socket.once("end", () => socket.destroy());
  socket.once("close", () => clearTimeout(limit));
}
