import { afterAll, beforeAll, expect } from "vitest";

/** What Node warns of: listeners that pile up, what libraries are going to take away. */
const warnings: string[] = [];
const note = (warning: Error) => void warnings.push(warning.stack ?? warning.message);

beforeAll(() => void process.on("warning", note));
afterAll(() => {
  process.off("warning", note);
  expect(warnings.splice(0)).toEqual([]);
});
