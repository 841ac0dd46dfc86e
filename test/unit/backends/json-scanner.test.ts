import fc from "fast-check";
import { expect, it } from "vitest";
import { JsonScanner } from "../../../src/backends/ovs/json-scanner.js";

const NO_LIMIT = 2 ** 30;

/** JSON-RPC messages are objects; strings in them hold whatever looks like an end. */
const message = fc.dictionary(
  fc.string({ unit: "grapheme" }),
  fc.oneof(fc.jsonValue(), fc.constantFrom('"', "}{", "\\", '\\"]', "[", "ä€😀")),
);

it("finds the same messages however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(message),
      fc.array(fc.nat()),
      fc.constantFrom("", " ", "\n\t"),
      (messages, cuts, between) => {
        const bytes = Buffer.from(messages.map((value) => JSON.stringify(value)).join(between));
        const scanner = new JsonScanner(NO_LIMIT);
        const found = chunks(bytes, cuts).flatMap((chunk) => scanner.push(chunk));
        expect(found).toEqual(messages.map((value) => JSON.parse(JSON.stringify(value))));
      },
    ),
  );
});

it("refuses what is no JSON, and what is larger than allowed", () => {
  expect(() => new JsonScanner(NO_LIMIT).push(Buffer.from("{nonsense}"))).toThrow(SyntaxError);
  expect(() => new JsonScanner(NO_LIMIT).push(Buffer.from("}"))).toThrow(SyntaxError);
  const scanner = new JsonScanner(10);
  scanner.push(Buffer.from('{"a":'));
  expect(() => scanner.push(Buffer.from('"12345678"}'))).toThrow(RangeError);
});

function chunks(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}
