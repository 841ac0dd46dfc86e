import { DomainError } from "../../domain/errors.js";
import { HttpRefusal } from "./http-refusal.js";
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
  if (error instanceof HttpRefusal) return error.problem;
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

/** Refusals of the HTTP framework and what is built on it. */
function frameworkProblem(error: unknown): ProblemContent | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  const { statusCode, message: detail } = error;
  if (typeof statusCode !== "number" || statusCode < 400 || statusCode > 499) return undefined;
  const code = FRAMEWORK_CODES[statusCode];
  // Whatever else it is, the request is at fault.
  if (code === undefined)
    return { code: "ValidationError", detail, errors: [{ pointer: "", detail }] };
  return { code, detail, ...headersOf(error) };
}

const FRAMEWORK_CODES: Readonly<Record<number, ProblemContent["code"]>> = {
  404: "NotFound",
  408: "RequestTimeout",
  412: "PreconditionFailed",
  413: "PayloadTooLarge",
  415: "UnsupportedMediaType",
  416: "RangeNotSatisfiable",
  417: "ExpectationFailed",
  431: "RequestHeaderFieldsTooLarge",
};

/** Such as where a file ends, beyond whose end something was asked for. */
function headersOf(error: Error): Pick<ProblemContent, "headers"> {
  if (!("headers" in error) || typeof error.headers !== "object") return {};
  return { headers: { ...error.headers } };
}
