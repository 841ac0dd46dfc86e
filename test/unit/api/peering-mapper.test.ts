import { describe, expect, test } from "vitest";
import { presentPeering, presentPeeringFlows } from "../../../src/api/rest/vpc-peerings/mapper.js";
import { cidr } from "../../../src/domain/cidr.js";
import { PEERING_STATES } from "../../../src/domain/lifecycle.js";
import type { VpcPeering, VpcPeeringSide } from "../../../src/domain/resources.js";
import { OPERATOR, principal, view } from "./fixtures.js";

const NOW = new Date("2026-01-01T00:00:00.000Z");

function side(tenantId: string, vpcId: string, block: string): VpcPeeringSide {
  return {
    tenantId,
    vpcId,
    blocks: [cidr(block)],
    autoRoutes: true,
    allowDnsResolutionFromRemoteVpc: false,
    hiddenAt: null,
    name: `name of ${tenantId}`,
    tags: { of: tenantId },
  };
}

function peering(change: Partial<VpcPeering> = {}): VpcPeering {
  return {
    id: "pcx-1",
    number: 1,
    state: "pending-acceptance",
    statusMessage: "Pending Acceptance",
    requester: side("111", "vpc-a", "10.1.0.0/16"),
    accepter: side("222", "vpc-b", "10.2.0.0/16"),
    doomedAt: null,
    generation: 7,
    createdAt: NOW,
    expiresAt: NOW,
    activatedAt: null,
    endedAt: null,
    endedByTenantId: null,
    ...change,
  };
}

const NOT_LIVE = ["pending-acceptance", "failed", "rejected", "expired", "deleted"] as const;

const requester = principal("111");
const accepter = principal("222");

describe("the accepter's blocks", () => {
  test("stay hidden from the requester until the peering has been active", () => {
    for (const state of PEERING_STATES) {
      const hidden = presentPeering(peering({ state }), requester, view());
      expect(hidden.accepter.cidrBlocks, state).toEqual([]);
      expect(hidden.requester.cidrBlocks, state).toEqual(["10.1.0.0/16"]);
      const shown = presentPeering(peering({ state, activatedAt: NOW }), requester, view());
      expect(shown.accepter.cidrBlocks, state).toEqual(["10.2.0.0/16"]);
    }
  });

  test.each([
    ["accepter", accepter],
    ["operator", OPERATOR],
  ])("and the requester's are shown to the %s at once", (_, caller) => {
    const seen = presentPeering(peering(), caller, view());
    expect(seen.requester.cidrBlocks).toEqual(["10.1.0.0/16"]);
    expect(seen.accepter.cidrBlocks).toEqual(["10.2.0.0/16"]);
  });

  test("are shown within one tenant at once", () => {
    const own = peering({ accepter: side("111", "vpc-b", "10.2.0.0/16") });
    expect(presentPeering(own, requester, view()).accepter.cidrBlocks).toEqual(["10.2.0.0/16"]);
  });
});

describe("name and tags", () => {
  test.each([
    ["requester", requester, "111"],
    ["accepter", accepter, "222"],
    ["operator", OPERATOR, "111"],
  ])("the %s sees those of its side", (_, caller, tenantId) => {
    const seen = presentPeering(peering(), caller, view());
    expect(seen.name).toBe(`name of ${tenantId}`);
    expect(seen.tags).toEqual({ of: tenantId });
  });
});

describe("what the switch has of it", () => {
  test("live: the status of both VPCs", () => {
    for (const state of ["provisioning", "active", "deleting"] as const) {
      const asked: string[][] = [];
      const status = { state: "pending", generation: 7, observedGeneration: 6 } as const;
      const board = view({
        status: (vpcIds) => {
          asked.push([...vpcIds]);
          return status;
        },
      });
      expect(presentPeering(peering({ state }), requester, board).dataPlane).toEqual(status);
      expect(asked).toEqual([["vpc-a", "vpc-b"]]);
    }
  });

  test("not live: nothing is wanted, and the VPCs, which may be unknown, are not asked", () => {
    const refuse = () => {
      throw new Error("asked about a VPC");
    };
    for (const state of NOT_LIVE) {
      const ovs = presentPeering(peering({ state }), requester, view({ status: refuse }));
      const isAwaited = state === "pending-acceptance";
      expect(ovs.dataPlane.state, state).toBe(isAwaited ? "pending" : "noop");
      expect(ovs.dataPlane.message, state).toContain("nothing of it is on the switch");
      const idle = view({ backend: "noop", status: refuse });
      expect(presentPeering(peering({ state }), requester, idle).dataPlane.state).toBe("noop");
    }
  });
});

test("only a pending request expires", () => {
  for (const state of PEERING_STATES) {
    const { expiresAt } = presentPeering(peering({ state }), requester, view());
    expect(expiresAt, state).toBe(state === "pending-acceptance" ? NOW.toISOString() : null);
  }
});

describe("flows", () => {
  const bridges = [
    { bridge: "a", vpcId: "vpc-a", flows: ["1"] },
    { bridge: "b", vpcId: "vpc-b", flows: ["2"] },
    { bridge: "x", vpcId: null, flows: ["3"] },
  ];
  test.each([
    ["requester", requester, ["a", "x"]],
    ["accepter", accepter, ["b", "x"]],
    ["operator", OPERATOR, ["a", "b", "x"]],
  ])("the %s sees %3$j", (_, caller, names) => {
    const active = peering({ state: "active", activatedAt: NOW });
    const shown = presentPeeringFlows(active, bridges, caller).bridges;
    expect(shown.map((entry) => entry.bridge)).toEqual(names);
    expect(shown.every((entry) => !("vpcId" in entry))).toBe(true);
  });

  test("name the accepter's blocks, so its requester sees none until it has been active", () => {
    const early = peering({ state: "provisioning" });
    expect(presentPeeringFlows(early, bridges, requester)).toEqual({ bridges: [] });
    expect(presentPeeringFlows(early, bridges, accepter).bridges).toHaveLength(2);
  });
});
