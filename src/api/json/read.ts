import { isUtf8 } from "node:buffer";
import { RequestInvalid } from "../problems/request-invalid.js";
import { findJsonFault } from "./faults.js";

const BYTE_ORDER_MARK = "\ufeff";

/**
 * What a body says; undefined when it is empty. A byte order mark is passed over (RFC 8259, 8.1).
 * @throws RequestInvalid when it is not JSON, or could not be kept as it was sent
 */
export function readJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw RequestInvalid.body([], "the body is not valid UTF-8");
  const decoded = body.toString("utf8");
  const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
  const value = parse(text);
  const fault = findJsonFault(text);
  if (fault !== undefined) throw RequestInvalid.body(fault.path, fault.detail);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? `: ${error.message}` : "";
    throw RequestInvalid.body([], `the body is not valid JSON${why}`);
  }
}
