import { expect, test } from "vitest";
import { openFilesLimit, parseOpenFiles } from "../../../src/daemon/open-files.js";

const line = (soft: string, hard: string) =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax processes             7823                 7823                 processes\nMax open files            ${soft.padEnd(20)} ${hard.padEnd(20)} files\n`;

test.each([
  ["what is in force, not what it could be", line("256", "4096"), 256],
  ["no limit", line("unlimited", "unlimited"), Number.POSITIVE_INFINITY],
  ["a system that does not tell", "", 1024],
])("%s", (_what, text, limit) => {
  expect(parseOpenFiles(text)).toBe(limit);
});

test("this process has one", async () => {
  expect(await openFilesLimit()).toBeGreaterThan(0);
});
