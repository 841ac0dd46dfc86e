import { DomainError } from "../../domain/errors.js";
import type { ProblemContent } from "./problem.js";
import { RequestInvalid } from "./request-invalid.js";
import { TooManyRequests } from "./too-many-requests.js";

/** Finds the outcome that an error of a lower layer means for the caller. */
export type ExplainFailure = (error: unknown) => DomainError | undefined;

/** What a caller is told about an error. What is not meant for callers becomes `InternalError`. */
export function describeError(error: unknown, explain: ExplainFailure): ProblemContent {
  if (error instanceof RequestInvalid) {
    return { code: "ValidationError", detail: error.message, errors: error.errors };
  }
  if (error instanceof TooManyRequests) {
    const { message: detail, retryAfterSeconds } = error;
    return { code: "TooManyRequests", detail, retryAfterSeconds };
  }
  const known = error instanceof DomainError ? error : explain(error);
  if (known !== undefined) return domainProblem(known);
  return frameworkProblem(error) ?? INTERNAL;
}

const INTERNAL: ProblemContent = {
  code: "InternalError",
  detail: "Something went wrong here. The log has the details under this request's id.",
};

function domainProblem(error: DomainError): ProblemContent {
  const { code, message: detail, pointer, blockedBy, retryAfterSeconds } = error;
  return {
    code,
    detail,
    ...(pointer !== undefined && { errors: [{ pointer, detail }] }),
    ...(blockedBy !== undefined && { blockedBy }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

/** Refusals of the HTTP framework, which carry a status and are worded for callers. */
function frameworkProblem(error: unknown): ProblemContent | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  const detail = error.message;
  switch (error.statusCode) {
    case 413:
      return { code: "PayloadTooLarge", detail };
    case 415:
      return { code: "UnsupportedMediaType", detail };
    case 400:
    case 414:
      return { code: "ValidationError", detail, errors: [{ pointer: "", detail }] };
    case 404:
      return { code: "NotFound", detail };
    default:
      return undefined;
  }
}
