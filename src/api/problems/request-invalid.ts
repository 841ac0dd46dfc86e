import type { z } from "zod";
import type { FieldError } from "./problem.js";
import { isMissing, MISSING, REPEATED } from "./wording.js";

export type RequestPart = "body" | "query" | "path" | "header";

/** A body of a few kilobytes can hold thousands of mistakes; nobody reads more than these. */
const MOST_ERRORS = 20;

/** The request does not have the shape that its route asks for. */
export class RequestInvalid extends Error {
  override readonly name = "RequestInvalid";

  constructor(readonly errors: readonly FieldError[]) {
    super(errors.map(({ pointer, detail }) => `${pointer || "body"}: ${detail}`).join("; "));
  }

  /** @param path names and indexes on the way to the field; empty for the body as a whole */
  static body(path: readonly PropertyKey[], detail: string): RequestInvalid {
    return new RequestInvalid([fieldError("body", path, detail)]);
  }

  static parameter(
    part: Exclude<RequestPart, "body">,
    parameter: string,
    detail: string,
  ): RequestInvalid {
    return new RequestInvalid([fieldError(part, [parameter], detail)]);
  }
}

/** What zod, asked with `WORDING`, found wrong in one part of a request, field by field. */
export function requestInvalid(part: RequestPart, issues: readonly z.core.$ZodIssue[]) {
  const errors = firstOfEach(issues.flatMap((issue) => issueErrors(part, issue)));
  return new RequestInvalid(errors.slice(0, MOST_ERRORS));
}

/** What else is wrong with a field follows from the first: a text in place of a list is "too long". */
function firstOfEach(errors: readonly FieldError[]): FieldError[] {
  const first = new Map<string, FieldError>();
  for (const error of errors) {
    if (!first.has(error.pointer)) first.set(error.pointer, error);
  }
  return [...first.values()];
}

function issueErrors(part: RequestPart, issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === "unrecognized_keys") {
    const kind = part === "body" ? "field" : "parameter";
    return issue.keys.map((key) => fieldError(part, [...issue.path, key], `unknown ${kind}`));
  }
  if (issue.code === "invalid_key") {
    return [fieldError(part, issue.path, issue.issues[0]?.message ?? issue.message)];
  }
  return [fieldError(part, issue.path, detailOf(part, issue))];
}

function detailOf(part: RequestPart, issue: z.core.$ZodIssue): string {
  if (isMissing(issue)) return MISSING;
  return part === "query" && Array.isArray(issue.input) ? REPEATED : issue.message;
}

function fieldError(part: RequestPart, path: readonly PropertyKey[], detail: string): FieldError {
  const pointer = path.map((key) => `/${escapePointer(String(key))}`).join("");
  if (part === "body") return { pointer, detail };
  return { pointer, detail, parameter: String(path[0] ?? ""), in: part };
}

/** Reference tokens of RFC 6901, section 3. */
function escapePointer(token: string): string {
  return token.replaceAll("~", "~0").replaceAll("/", "~1");
}
