import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, inject, test, vi } from "vitest";
import { END_OF_GREETING, UpRuns, urlIn } from "../../support/up.js";
import { blocksOfTheWalk, leftovers, NOTHING_LEFT, walk } from "../../support/walk.js";

vi.setConfig({ testTimeout: 120_000 });

const runs = new UpRuns(inject("databaseTemplates").dataDir);
afterEach(() => runs.clear());

test("the README's walk works in no-op mode without what is for a switch, and cleans up", async () => {
  expect(blocksOfTheWalk().map(({ forSwitch }) => forSwitch)).toContain(true);
  const dataDir = await runs.dataDir();
  const settings = { PATCHBAY_BACKEND: "noop", PATCHBAY_LISTEN: "127.0.0.1:0" };
  const up = runs.start({ ...settings, PATCHBAY_DATA_DIR: dataDir });
  await up.said(END_OF_GREETING);
  const printed = await walk(dataDir, { withSwitch: false });
  expect(printed).toContain('"state": "active"');
  expect(printed).toContain("priority=100");
  expect(printed).toMatch(/"delet(ed|ing)"/);
  const token = (await readFile(join(dataDir, "operator-token"), "utf8")).trim();
  expect(await leftovers(urlIn(up.output()), token)).toEqual(NOTHING_LEFT);
});
