import { expect, test } from "vitest";
import { inUse, MOST_NAMED } from "../../../src/domain/errors.js";

const interfaces = (count: number) => Array.from({ length: count }, (_, i) => `eni-${i}`);

test("what is in use by a few names all of them", () => {
  const error = inUse("subnet subnet-1", interfaces(2));
  expect(error).toMatchObject({ code: "DependencyViolation", blockedBy: ["eni-0", "eni-1"] });
  expect(error.message).toBe("subnet subnet-1 is in use by eni-0, eni-1");
});

test("what is in use by very many names the first, and that there are others", () => {
  const { blockedBy, message } = inUse("security group sg-1", interfaces(65_000));
  expect(blockedBy).toEqual(interfaces(MOST_NAMED));
  expect(message).toMatch(/eni-99 and others$/);
  expect(inUse("subnet subnet-1", interfaces(MOST_NAMED)).message).toMatch(/eni-99$/);
});
