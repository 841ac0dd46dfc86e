import { expect, it } from "vitest";
import { createNoopBackend } from "../../../src/backends/noop/noop-backend.js";
import { eniId, peeringIntent, scopeOf, slice, vpcIntent } from "../../support/intents.js";

const IDENTITY = { installationId: "x", mark: 0xa1b2c3 };
const VPCS = [vpcIntent(1, 2), vpcIntent(2, 1)];
const PEERING = peeringIntent(5, 1, 2);

it("records what it was given, so that a second plan finds nothing to do", async () => {
  const backend = createNoopBackend(IDENTITY);
  const first = await backend.plan(slice("all", VPCS, [PEERING]), { fresh: false });
  expect(first.diffs.map(({ bridge, vpcId }) => [bridge, vpcId])).toEqual([
    [backend.bridgeName(1), "vpc-1"],
    [backend.bridgeName(2), "vpc-2"],
    [backend.exchangeName(), null],
  ]);
  for (const { missing } of first.diffs) expect(missing.length).toBeGreaterThan(0);
  expect(await backend.apply(first)).toEqual({
    bridges: first.diffs,
    failedVpcs: new Map(),
    exchangeError: undefined,
    installedPeerings: [PEERING.id],
    removedPeerings: [],
  });
  const second = await backend.plan(slice("all", VPCS, [PEERING]), { fresh: true });
  for (const { missing, changed, unexpected, foreign } of second.diffs) {
    expect([...missing, ...changed, ...unexpected, ...foreign]).toEqual([]);
  }
  expect(backend.flowCounts().get(backend.exchangeName())).toBe(3);
});

it("changes nothing by planning alone", async () => {
  const backend = createNoopBackend(IDENTITY);
  const intent = slice("all", VPCS, [PEERING]);
  const { diffs } = await backend.plan(intent, { fresh: true });
  expect((await backend.plan(intent, { fresh: true })).diffs).toEqual(diffs);
});

it("takes a peering away again, and a VPC that is gone with all its flows", async () => {
  const backend = createNoopBackend(IDENTITY);
  await backend.apply(await backend.plan(slice("all", VPCS, [PEERING]), { fresh: false }));
  const leaving = slice(scopeOf(1, 2), VPCS, [{ ...PEERING, admitted: false }]);
  const outcome = await backend.apply(await backend.plan(leaving, { fresh: false }));
  expect(outcome.removedPeerings).toEqual([PEERING.id]);
  expect(backend.flowCounts().get(backend.exchangeName())).toBe(1);
  await backend.apply(await backend.plan(slice(scopeOf(2), []), { fresh: false }));
  expect([...backend.flowCounts().keys()].sort()).toEqual(
    [backend.bridgeName(1), backend.exchangeName()].sort(),
  );
});

it("shows a peering's flows with symbolic ports, and binds nothing", async () => {
  const backend = createNoopBackend(IDENTITY);
  const [left, right, exchange] = backend.peeringFlows(PEERING);
  expect([left?.bridge, right?.bridge]).toEqual([backend.bridgeName(1), backend.bridgeName(2)]);
  expect(left?.flows.some((flow) => flow.includes("priority=100,ip"))).toBe(true);
  expect(exchange?.flows).toHaveLength(2);
  expect(exchange?.flows[0]).toMatch(/in_port=1,.*actions=output:2$/);
  expect(backend.binding(eniId(1))).toEqual({ kind: "unbound" });
  expect(backend.peeringFlows({ ...PEERING, admitted: false }).flatMap((b) => b.flows)).toEqual([]);
});

it("counts no drops, which is not the same as none", async () => {
  const backend = createNoopBackend(IDENTITY);
  await backend.apply(await backend.plan(slice("all", VPCS, [PEERING]), { fresh: false }));
  expect(await backend.dropsOf(eniId(1))).toBeNull();
  expect(await backend.surveyDrops()).toBeNull();
});

it("does not carry out a plan of another backend", async () => {
  const backend = createNoopBackend(IDENTITY);
  await expect(backend.apply({ intent: slice("all", []), diffs: [], drift: [] })).rejects.toThrow(
    TypeError,
  );
});
