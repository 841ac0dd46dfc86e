import { expect, it } from "vitest";
import type { ServiceContext } from "../../../src/services/context.js";
import { KeyUses } from "../../../src/services/credentials/key-uses.js";
import { startSweeper } from "../../../src/services/sweeper.js";

/** Any use of it fails, and is told as a sweep that failed. */
const context = {
  clock: () => new Date(),
  keyUses: new KeyUses(),
  get db(): never {
    throw new Error("the database was touched");
  },
} as unknown as ServiceContext;

it.each([
  { mayWrite: true, failed: 5 },
  { mayWrite: false, failed: 0 },
])("touches the database only while it may: $mayWrite", async ({ mayWrite, failed }) => {
  const sweeps = new Set<object>();
  const log = { warn: (details: object) => void sweeps.add(details) };
  await startSweeper(context, log, () => mayWrite).stop();
  expect(sweeps.size).toBe(failed);
});
