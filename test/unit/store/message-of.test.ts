import { expect, it } from "vitest";
import { messageOf } from "../../../src/store/database/message-of.js";

it.each([
  [new Error("it broke"), "it broke"],
  [new Error(""), "Error"],
  [{ name: "ErrnoError", errno: 44 }, "ErrnoError 44"],
  [{ code: "ENOENT" }, "ENOENT"],
  [{ message: "no error, but thrown" }, "no error, but thrown"],
  [{ some: "thing" }, '{"some":"thing"}'],
  ["words", "words"],
  [undefined, "undefined"],
])("%o is told as %s", (thrown, text) => {
  expect(messageOf(thrown)).toBe(text);
});
