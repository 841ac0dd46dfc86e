import fc from "fast-check";
import { expect, it } from "vitest";
import { compareExchange } from "../../../src/backends/flows/compare.js";
import { desiredExchangeFlows, type PortView } from "../../../src/backends/flows/desired.js";
import { InstalledFlows } from "../../../src/backends/flows/installed.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { flowKey } from "../../../src/openflow/text.js";
import { peeringIntent, scopeOf, slice, vpcIntent } from "../../support/intents.js";

const MARK = 0xa1b2c3;
const OPTIONS = { mark: MARK, dropFragments: true, dropsBeyondRoom: false };
const VPCS = [1, 2, 3, 4].map((n) => vpcIntent(n));
const PAIRS = [
  [1, 2],
  [1, 3],
  [1, 4],
  [2, 3],
  [2, 4],
  [3, 4],
] as const;
const PORTS: PortView = {
  ofVpc: () => ({ uplink: 1, interfaces: new Map() }),
  onExchange: (id) => Number(id.slice("vpc-".length)) + 10,
};

const peerings = fc
  .subarray(PAIRS.map((_, index) => index))
  .map((picked) => picked.map((i) => peeringIntent(i + 1, PAIRS[i]?.[0] ?? 0, PAIRS[i]?.[1] ?? 0)));

it("settles every peering of the VPCs in scope, and touches no other", () => {
  fc.assert(
    fc.property(peerings, peerings, fc.subarray([1, 2, 3, 4]), (before, after, numbers) => {
      const installed = new InstalledFlows(MARK, flowsFor(before));
      const narrow = slice(scopeOf(...numbers), VPCS, after);
      installed.follow(compareExchange(narrow, installed, PORTS, OPTIONS));
      const touches = (p: { requester: { vpcNumber: number }; accepter: { vpcNumber: number } }) =>
        numbers.includes(p.requester.vpcNumber) || numbers.includes(p.accepter.vpcNumber);
      const expected = [...after.filter(touches), ...before.filter((p) => !touches(p))];
      expect(keys(installed.all())).toEqual(keys(flowsFor(expected)));
    }),
  );
});

it("reports foreign flows whatever the scope, and looks at all its own for a scope of all", () => {
  const [ours] = flowsFor([peeringIntent(1, 1, 2)]).slice(1);
  if (ours === undefined) throw new Error("no flow was rendered");
  const foreign = { ...ours, cookie: 0x77n, priority: 7 };
  const stray = { ...ours, priority: 8, match: { ...ours.match, in_port: "99" } };
  const installed = new InstalledFlows(MARK, [...flowsFor([]), foreign, stray]);
  const scoped = compareExchange(slice(scopeOf(3), VPCS), installed, PORTS, OPTIONS);
  expect(scoped).toEqual({ missing: [], changed: [], unexpected: [], foreign: [foreign] });
  const all = compareExchange(slice("all", VPCS), installed, PORTS, OPTIONS);
  expect(all).toMatchObject({ missing: [], changed: [], unexpected: [stray], foreign: [foreign] });
});

it("replaces whatever stands in the place of a flow that is wanted", () => {
  const wanted = [peeringIntent(1, 1, 2)];
  const usurped = flowsFor(wanted).map((flow) => ({ ...flow, cookie: 0x77n, actions: "NORMAL" }));
  const installed = new InstalledFlows(MARK, usurped);
  const delta = compareExchange(slice(scopeOf(1), VPCS, wanted), installed, PORTS, OPTIONS);
  expect(delta.changed).toHaveLength(usurped.length);
  expect(delta.missing).toEqual([]);
});

it("admits nothing for a VPC that is gone, though its port is still there", () => {
  const wanted = [peeringIntent(1, 1, 2)];
  const intent = slice("all", VPCS.slice(1), wanted);
  expect(desiredExchangeFlows(intent, PORTS, OPTIONS)).toHaveLength(1);
});

it("counts its own and finds them by peering and by port, whatever came and went", () => {
  fc.assert(
    fc.property(peerings, peerings, (first, second) => {
      const foreign = flowsFor(second).map((flow) => ({ ...flow, cookie: 0x77n, priority: 3 }));
      const installed = new InstalledFlows(MARK, [...flowsFor(first), ...foreign]);
      for (const flow of flowsFor(second)) installed.add(flow);
      for (const flow of flowsFor(first).slice(1)) installed.remove(flow);
      const left = second.filter((p) => !first.some(({ number }) => number === p.number));
      expect(installed.ownCount).toBe(1 + 2 * left.length);
      for (const { number } of PAIRS.map((_, index) => ({ number: index + 1 }))) {
        const there = left.some((p) => p.number === number);
        expect(installed.ofPeering(number)).toHaveLength(there ? 2 : 0);
      }
      const all = [...installed.all()];
      const at = (port: number) => all.filter(({ match }) => match["in_port"] === String(port));
      for (const port of [11, 12, 13, 14]) {
        expect(keys(installed.enteringAt(port))).toEqual(keys(at(port)));
      }
    }),
  );
});

function flowsFor(wanted: ReturnType<typeof peeringIntent>[]): Flow[] {
  return desiredExchangeFlows(slice("all", VPCS, wanted), PORTS, OPTIONS);
}

function keys(flows: Iterable<Flow>): string[] {
  return [...flows].map(flowKey).sort();
}
