import { z } from "zod";
import { PROBLEMS, type ProblemCode } from "./codes.js";

/** Media type of problem documents (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = "application/problem+json";

export const fieldErrorSchema = z.object({
  pointer: z.string().describe("JSON pointer (RFC 6901) to the field; /NAME for a parameter"),
  detail: z.string(),
  parameter: z.string().optional().describe("Name of the parameter or header at fault"),
  in: z.enum(["query", "path", "header"]).optional(),
});

export const checkSchema = z.object({
  name: z.string(),
  ok: z.boolean(),
  message: z.string().optional(),
});

export const problemSchema = z
  .object({
    type: z.string().describe("urn:patchbay:problem:CODE"),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    instance: z.string().describe("Path of the request"),
    errors: z.array(fieldErrorSchema).optional(),
    blockedBy: z
      .array(z.string())
      .optional()
      .describe("Ids of what stands in the way, of very many the first"),
    checks: z.array(checkSchema).optional().describe("Of /readyz"),
  })
  .meta({ id: "Problem", description: "A problem document (RFC 9457)" });

export type FieldError = z.output<typeof fieldErrorSchema>;
export type Check = z.output<typeof checkSchema>;
export type Problem = z.output<typeof problemSchema>;

/** An outcome as far as it does not depend on the request's path. */
export interface ProblemContent {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  readonly blockedBy?: readonly string[];
  readonly checks?: readonly Check[];
  /** Told by a header. */
  readonly retryAfterSeconds?: number;
  /** What else headers tell, such as what would be taken instead. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** @param instance path of the request */
export function problemDocument(content: ProblemContent, instance: string): Problem {
  const { code, detail, errors, blockedBy, checks } = content;
  const [status, title] = PROBLEMS[code];
  return {
    type: `urn:patchbay:problem:${code}`,
    title,
    status,
    detail,
    code,
    instance,
    ...(errors && { errors: [...errors] }),
    ...(blockedBy && { blockedBy: [...blockedBy] }),
    ...(checks && { checks: [...checks] }),
  };
}
