import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  noteInstallationId,
  operatorToken,
  operatorTokenFile,
} from "../../../src/daemon/private-files.js";

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "patchbay-files-"));
});

afterEach(() => rm(dataDir, { recursive: true }));

test("a token is made up once, readable by its owner only, and kept", async () => {
  const token = await operatorToken(dataDir, undefined);
  expect(token).toMatch(/^pbop_[\w-]{43}$/);
  expect(await operatorToken(dataDir, undefined)).toBe(token);
  const { mode } = await stat(operatorTokenFile(dataDir));
  expect(mode & 0o777).toBe(0o600);
  expect((await readFile(operatorTokenFile(dataDir), "utf8")).trim()).toBe(token);
});

test("a given token is used and not written anywhere", async () => {
  expect(await operatorToken(dataDir, "a-given-token")).toBe("a-given-token");
  await expect(stat(operatorTokenFile(dataDir))).rejects.toThrow("ENOENT");
});

test("the installation's id is noted, and corrected when it is another", async () => {
  const file = join(dataDir, "installation-id");
  await noteInstallationId(dataDir, "one", undefined);
  await noteInstallationId(dataDir, "two", "one");
  expect(await readFile(file, "utf8")).toBe("two\n");
});
