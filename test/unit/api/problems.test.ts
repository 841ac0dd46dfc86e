import { describe, expect, test } from "vitest";
import { z } from "zod";
import { PROBLEMS, type ProblemCode } from "../../../src/api/problems/codes.js";
import { describeError } from "../../../src/api/problems/describe.js";
import { problemDocument, problemSchema } from "../../../src/api/problems/problem.js";
import { type RequestPart, requestInvalid } from "../../../src/api/problems/request-invalid.js";
import { TooManyRequests } from "../../../src/api/problems/too-many-requests.js";
import { DomainError } from "../../../src/domain/errors.js";

const unexplained = () => undefined;

function problemsIn(part: RequestPart, schema: z.ZodType, data: unknown) {
  return requestInvalid(part, schema.safeParse(data).error?.issues ?? []).errors;
}

describe("what went wrong, for the caller", () => {
  test("a domain error keeps its code, text, field and what stands in the way", () => {
    const context = { pointer: "/cidrBlock", blockedBy: ["subnet-1"] };
    const error = new DomainError("InvalidSubnet.Conflict", "overlaps", context);
    expect(problemDocument(describeError(error, unexplained), "/v1/subnets")).toEqual({
      type: "urn:patchbay:problem:InvalidSubnet.Conflict",
      title: "The block overlaps another subnet",
      status: 409,
      detail: "overlaps",
      code: "InvalidSubnet.Conflict",
      instance: "/v1/subnets",
      errors: [{ pointer: "/cidrBlock", detail: "overlaps" }],
      blockedBy: ["subnet-1"],
    });
  });

  test("an error that nobody explains gives nothing away", () => {
    const error = new Error("SELECT * FROM access_key failed at 10.0.0.1");
    const problem = problemDocument(describeError(error, unexplained), "/v1/vpcs");
    expect(problem.status).toBe(500);
    expect(JSON.stringify(problem)).not.toMatch(/SELECT|10\.0\.0\.1/);
  });

  test("a failure of a lower layer is what its explanation says", () => {
    const explain = () => new DomainError("ServiceUnavailable", "the database is away");
    const content = describeError(new Error("ECONNREFUSED"), explain);
    expect(content).toEqual({ code: "ServiceUnavailable", detail: "the database is away" });
  });

  test.each([
    [413, "PayloadTooLarge"],
    [415, "UnsupportedMediaType"],
    [400, "ValidationError"],
    [404, "NotFound"],
    [412, "PreconditionFailed"],
    [416, "RangeNotSatisfiable"],
    [402, "ValidationError"],
    [414, "ValidationError"],
    [451, "ValidationError"],
    [200, "InternalError"],
    [500, "InternalError"],
    [502, "InternalError"],
  ])("a framework error with status %i is %s", (statusCode, code) => {
    const error = Object.assign(new Error("no"), { statusCode });
    expect(describeError(error, unexplained).code).toBe(code);
  });

  test("too many requests", () => {
    expect(describeError(new TooManyRequests(1), unexplained).code).toBe("TooManyRequests");
  });

  test("every code has a client or server status that its problem document carries", () => {
    for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
      const problem = problemDocument({ code, detail: "d" }, "/");
      expect(problemSchema.parse(problem).status).toBe(PROBLEMS[code][0]);
      expect(problem.status).toBeGreaterThanOrEqual(400);
      if (code.endsWith(".NotFound")) expect(problem.status).toBe(404);
    }
  });
});

describe("which field is at fault", () => {
  const schema = z.strictObject({ tags: z.record(z.string(), z.string()), list: z.array(z.int()) });

  test("pointers are escaped as RFC 6901 says", () => {
    const errors = problemsIn("body", schema, { tags: { "a/b~c": 1 }, list: [1, "x"] });
    expect(errors.map((error) => error.pointer)).toEqual(["/tags/a~1b~0c", "/list/1"]);
  });

  test("each unknown field is named", () => {
    const errors = problemsIn("body", schema, { tags: {}, list: [], one: 1, two: 2 });
    expect(errors).toEqual([
      { pointer: "/one", detail: "unknown field" },
      { pointer: "/two", detail: "unknown field" },
    ]);
  });

  test("the whole body is the empty pointer", () => {
    expect(problemsIn("body", schema, undefined)[0]?.pointer).toBe("");
  });

  test("a parameter is named, and where it is", () => {
    const [error] = problemsIn("query", z.strictObject({}), { limt: "1" });
    expect(error).toEqual({
      pointer: "/limt",
      parameter: "limt",
      in: "query",
      detail: "unknown parameter",
    });
  });

  test("thousands of mistakes are not all repeated", () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 1]));
    const errors = problemsIn("body", schema, { tags: {}, list: [], ...many });
    expect(errors.length).toBeGreaterThan(1);
    expect(errors.length).toBeLessThanOrEqual(20);
  });
});
