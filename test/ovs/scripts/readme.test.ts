import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, inject, test, vi } from "vitest";
import { END_OF_GREETING, UpRuns, urlIn } from "../../support/up.js";
import { leftovers, NOTHING_LEFT, walk } from "../../support/walk.js";

vi.setConfig({ testTimeout: 240_000 });

const runs = new UpRuns(inject("embeddedTemplate"));
afterEach(() => runs.clear());

test("the README's walk passes packets as it says, and cleans up", async () => {
  const dataDir = await runs.dataDir();
  const settings = { PATCHBAY_LISTEN: "127.0.0.1:0", PATCHBAY_DATA_DIR: dataDir };
  const up = runs.start(settings);
  await up.said(END_OF_GREETING);
  const printed = await walk(dataDir, { withSwitch: true });
  const reached = printed.split("\n").filter((line) => line.endsWith("passes"));
  expect(reached).toEqual(["nothing passes", "passes", "nothing passes"]);
  const token = (await readFile(join(dataDir, "operator-token"), "utf8")).trim();
  expect(await leftovers(urlIn(up.output()), token)).toEqual(NOTHING_LEFT);
  const { stdout } = await promisify(execFile)("ip", ["netns", "list"]);
  const names = stdout.split("\n").map((line) => line.split(" ")[0]);
  expect(names.filter((name) => name === "web" || name === "db")).toEqual([]);
});
