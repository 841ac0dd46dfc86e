import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatIp } from "../../../src/domain/cidr.js";
import type { VpcIntent } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import { UPLINK } from "../../unit/pipeline/topologies.js";
import { a, a0, a1, a2, b, b0, b1, c, c0, d, d0, type Fields, network, toward } from "./packets.js";
import { startTracedSwitch, type TracedSwitch } from "./traced-switch.js";

let traced: TracedSwitch;

beforeAll(async () => {
  traced = await startTracedSwitch(network);
});
afterAll(async () => traced.stop());

const fateOf = (of: VpcIntent, sent: string) => traced.fate(of.id, sent);

describe("who may talk", () => {
  it.each([
    ["within a subnet", a, a0, a1],
    ["between the subnets of a VPC", a, a0, a2],
    ["from A to B", a, a2, b1],
    ["from B to A", b, b0, a0],
    ["from B to C", b, b1, c0],
    ["from C to B", c, c0, b0],
  ])("%s", async (_way, of, from, to) => {
    const { ports } = await fateOf(of, toward(of, from, to));
    expect(ports).toEqual([to.id]);
  });

  it.each([
    ["A and C are not peers: there is no transit", a, a0, c0],
    ["C and A are not peers either", c, c0, a0],
    ["A has not accepted D", a, a0, d0],
    ["D has not been accepted by A", d, d0, a0],
  ])("%s", async (_why, of, from, to) => {
    const fate = await fateOf(of, toward(of, from, to));
    expect(fate).toEqual({ ports: [], bridges: [of.id], actions: "drop" });
  });

  it("crosses to a peer with the receiver's router as its source and one hop less", async () => {
    const { actions } = await fateOf(a, toward(a, a0, b0));
    expect(actions).toContain(`src=${routerMac(2)},dst=${b0.mac}`);
    expect(actions).toContain("ttl=63");
  });

  it("expires rather than crosses with its last hop", async () => {
    expect((await fateOf(a, toward(a, a0, b0, { nw_ttl: 1 }))).ports).toEqual([]);
  });
});

describe("from the exchange", () => {
  const arriving = (changes: Fields): string =>
    toward(a, a0, b0, { in_port: UPLINK, dl_src: routerMac(1), dl_dst: routerMac(2), ...changes });

  it("comes what a peer's router sends from its blocks", async () => {
    expect((await traced.fate(b.id, arriving({}))).ports).toEqual([b0.id]);
  });

  it.each([
    ["a source outside the peer's blocks", { nw_src: "10.30.1.10" }],
    ["a source of the VPC itself", { nw_src: formatIp(b1.ip) }],
    ["a destination outside own blocks", { nw_dst: formatIp(c0.ip) }],
    ["a destination back to the peer", { nw_dst: formatIp(a1.ip) }],
    ["a router that is no peer's", { dl_src: routerMac(4) }],
    ["another router's frame", { dl_dst: routerMac(3) }],
    ["a broadcast", { dl_dst: "ff:ff:ff:ff:ff:ff" }],
    ["a VLAN tag", { dl_vlan: 7, dl_vlan_pcp: 0 }],
    ["a fragment", { nw_frag: "first" }],
  ])("never comes %s", async (_what, changes) => {
    expect((await traced.fate(b.id, arriving(changes))).actions).toBe("drop");
  });
});

describe("the exchange", () => {
  const crossing = (changes: Fields): string =>
    toward(a, a0, b0, { in_port: 1, dl_src: routerMac(1), dl_dst: routerMac(2), ...changes });

  it("passes peers", async () => {
    const { ports, bridges } = await traced.fate("exchange", crossing({}));
    expect({ ports, bridges }).toEqual({ ports: [b0.id], bridges: ["exchange", b.id] });
  });

  it.each([
    ["another VPC's port", { in_port: 3 }],
    ["another router's MAC as source", { dl_src: routerMac(3) }],
    ["a router that is no peer's as destination", { dl_dst: routerMac(3) }],
    ["peers before acceptance", { dl_dst: routerMac(4), nw_dst: formatIp(d0.ip) }],
    ["a source outside the sender's blocks", { nw_src: "10.30.1.10" }],
    ["a destination outside the receiver's blocks", { nw_dst: "10.30.1.10" }],
  ])("stops %s", async (_what, changes) => {
    const fate = await traced.fate("exchange", crossing(changes));
    expect(fate).toEqual({ ports: [], bridges: ["exchange"], actions: "drop" });
  });
});
