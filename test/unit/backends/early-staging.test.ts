import { expect, it } from "vitest";
import type { StagedChange } from "../../../src/backends/ovs/bundle.js";
import { EarlyStaging } from "../../../src/backends/ovs/early-staging.js";
import type { FlowDelta } from "../../../src/openflow/delta.js";
import type { Flow } from "../../../src/openflow/flow.js";

const flow = (table: number): Flow => ({
  table,
  priority: 1,
  cookie: 1n,
  match: {},
  actions: "drop",
});
const delta = (...missing: Flow[]): FlowDelta => ({
  missing,
  changed: [],
  unexpected: [],
  foreign: [],
});

function change() {
  const told: string[] = [];
  const staged: StagedChange = {
    commit: async () => void told.push("commit"),
    discard: () => void told.push("discard"),
  };
  return { told, staged: Promise.resolve(staged) };
}

it("hands over what was staged when all of it is wanted", async () => {
  const { staged, told } = change();
  const early = new EarlyStaging(delta(flow(1), flow(2)), staged);
  await (await early.take(delta(flow(1), flow(2))))?.commit();
  expect(told).toEqual(["commit"]);
});

it("hands over nothing when less is wanted, and can be discarded", async () => {
  const { staged, told } = change();
  const early = new EarlyStaging(delta(flow(1), flow(2)), staged);
  expect(early.take(delta(flow(1)))).toBeUndefined();
  early.discard();
  await staged;
  expect(told).toEqual(["discard"]);
});

it("keeps why staging failed for whoever takes it, and troubles nobody else", async () => {
  const why = new Error("refused");
  const early = new EarlyStaging(delta(flow(1)), Promise.reject(why));
  early.discard();
  await expect(early.take(delta(flow(1)))).rejects.toBe(why);
});
