import fc from "fast-check";
import { expect, test } from "vitest";
import { findJsonFault } from "../../../../src/api/json/faults.js";
import { readJson } from "../../../../src/api/json/read.js";

test.each([
  ['{"a":1,"a":2}', ["a"], "is given more than once"],
  ['{"a":1,"a":1}', ["a"], "is given more than once"],
  ['{"a":1,"\\u0061":2}', ["a"], "is given more than once"],
  ['{"x":{"b":1},"y":[0,{"b":1,"c":2,"b":3}]}', ["y", 1, "b"], "is given more than once"],
  ['{"tags":{"__proto__":"x"}}', ["tags", "__proto__"], "nothing can have this name here"],
  ['{"\\u005f_proto__":1}', ["__proto__"], "nothing can have this name here"],
  ["9007199254740993", [], "is a number that cannot be kept exactly"],
  ['{"n":[1,1e999]}', ["n", 1], "is a number that cannot be kept exactly"],
  ['{"n":-1e400}', ["n"], "is a number that cannot be kept exactly"],
  ['{"n":1e-400}', ["n"], "is a number that cannot be kept exactly"],
  ['{"n":1.00000000000000000001}', ["n"], "is a number that cannot be kept exactly"],
  ['{"n":12345678901234567890}', ["n"], "is a number that cannot be kept exactly"],
])("%s", (text, path, detail) => {
  expect(findJsonFault(text)).toEqual({ path, detail });
});

test.each([
  '{"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":1}]}',
  '{"a":"a","b":"a\\"b\\":,{}[]","c":"\\\\"}',
  '{"":1,"constructor":2,"prototype":3,"toString":4}',
  '["a","a",["a"],{},[],{"a":[]},"__proto__"]',
  "[0,-0,1e2,1E+2,0.1,-12.5e-3,9007199254740991,9007199254740992,1e21,100000000000000000000]",
  ' { "a" : [ true , false , null ] } ',
  '"text"',
  "1",
])("nothing is wrong with %s", (text) => {
  JSON.parse(text);
  expect(findJsonFault(text)).toBeUndefined();
});

test("whatever JSON.stringify writes is read as it is", () => {
  const value = fc.jsonValue({ noUnicodeString: false, depthSize: "medium", maxDepth: 8 });
  fc.assert(
    fc.property(value, fc.integer({ min: 0, max: 2 }), (given, indent) => {
      const text = JSON.stringify(given, null, indent);
      if (text.includes("__proto__")) return;
      expect(JSON.stringify(readJson(Buffer.from(text)))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test("levels end somewhere, however many there are", () => {
  const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  expect(findJsonFault(nested(32))).toBeUndefined();
  expect(findJsonFault(nested(33))?.detail).toBe("has more than 32 levels");
  expect(() => readJson(Buffer.from(nested(500_000)))).toThrow("more than 32 levels");
});

test("a megabyte of short names or of one long text costs next to nothing", () => {
  const names = Array.from({ length: 60_000 }, (_, index) => [`name${index}`, index]);
  for (const value of [Object.fromEntries(names), '\\"x'.repeat(250_000)]) {
    const body = Buffer.from(JSON.stringify(value));
    const begun = performance.now();
    readJson(body);
    expect(performance.now() - begun).toBeLessThan(1000);
  }
});
