import { describe, expect, it } from "vitest";
import { revocations } from "../../../src/backends/ovs/admission.js";
import { partForChangeover } from "../../../src/backends/ovs/changeover.js";
import type { FlowDelta } from "../../../src/openflow/delta.js";
import { LAYOUT, tableNumber } from "../../../src/pipeline/layout.js";
import { peeringIntent, slice, vpcIntent } from "../../support/intents.js";
import { inLayout } from "../pipeline/layouts.js";

const OTHER = LAYOUT + 1;

function removing(...unexpected: FlowDelta["unexpected"]): FlowDelta {
  return { missing: [inLayout(LAYOUT, 0)], changed: [], unexpected, foreign: [] };
}

describe("a change of layout on the bridge of a VPC", () => {
  it("leaves the other layout's tables until packets have passed them", () => {
    const entry = inLayout(OTHER, 0);
    const inside = inLayout(OTHER, tableNumber(3, OTHER));
    const { first, rest } = partForChangeover(removing(entry, inside));
    expect(first).toEqual(removing(entry));
    expect(rest).toMatchObject({ missing: [], changed: [], unexpected: [inside] });
  });

  it("is one step when there is nothing of another layout", () => {
    const delta = removing(inLayout(LAYOUT, tableNumber(3)));
    expect(partForChangeover(delta).first).toBe(delta);
    expect(partForChangeover(delta).rest.unexpected).toEqual([]);
  });
});

describe("what the exchange loses first", () => {
  const vpcs = [vpcIntent(1), vpcIntent(2)];
  const ended = { ...peeringIntent(2, 1, 2), admitted: false };
  const intent = slice("all", vpcs, [peeringIntent(1, 1, 2), ended]);
  const of = (layout: number, object: number) =>
    inLayout(layout, 0, { category: "peering", object });

  it("is what no admitted peering needs, in whatever layout, and all that is of this one", () => {
    const [succeeded, own, deleted, gone] = [
      of(OTHER, 1),
      of(LAYOUT, 1),
      of(OTHER, 2),
      of(OTHER, 3),
    ];
    const delta = removing(succeeded, own, deleted, gone);
    expect(revocations(delta, intent)).toMatchObject({
      missing: [],
      unexpected: [own, deleted, gone],
    });
  });
});
