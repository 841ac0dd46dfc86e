import { expect, it } from "vitest";
import { readArguments, UsageError } from "../../src/arguments.js";

it("takes one word of consent, or none", () => {
  expect(readArguments([])).toEqual({ help: false, consent: undefined });
  expect(readArguments(["--adopt"])).toEqual({ help: false, consent: "adopt" });
  expect(readArguments(["--beside"])).toEqual({ help: false, consent: "beside" });
  expect(readArguments(["--help"])).toEqual({ help: true });
});

it.each([
  [["--adpot"]],
  [["adopt"]],
  [["--adopt=x"]],
  [[""]],
  [["--adopt", "--beside"]],
  [["--help", "x"]],
])("refuses %j", (given) => {
  expect(() => readArguments(given)).toThrow(UsageError);
});
