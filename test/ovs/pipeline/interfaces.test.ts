import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatIp } from "../../../src/domain/cidr.js";
import type { VpcIntent } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import { a, a0, a1, b0, b1, type Fields, icmp, network, packet, text, toward } from "./packets.js";
import { startTracedSwitch, type TracedSwitch } from "./traced-switch.js";

let traced: TracedSwitch;

beforeAll(async () => {
  traced = await startTracedSwitch(network);
});
afterAll(async () => traced.stop());

const fateOf = (of: VpcIntent, sent: string) => traced.fate(of.id, sent);

describe("what an interface may not send", () => {
  it.each([
    ["another's source address", { nw_src: formatIp(a1.ip) }],
    ["a peer's source address", { nw_src: formatIp(b1.ip) }],
    ["another's source MAC", { dl_src: a1.mac }],
    ["its router's source MAC", { dl_src: routerMac(1) }],
    ["frames straight to the peer's router", { dl_dst: routerMac(2) }],
    ["frames straight to the peer's interface", { dl_dst: b0.mac }],
    ["broadcast frames", { dl_dst: "ff:ff:ff:ff:ff:ff" }],
    ["multicast frames", { dl_dst: "01:00:5e:00:00:05" }],
    ["VLAN-tagged frames", { dl_vlan: 7, dl_vlan_pcp: 0 }],
    ["priority-tagged frames", { vlan_tci: "0x1000" }],
    ["first fragments", { nw_frag: "first" }],
    ["later fragments", { nw_frag: "later" }],
  ])("%s", async (_what, changes) => {
    expect((await fateOf(a, toward(a, a0, b0, changes))).actions).toBe("drop");
    expect((await fateOf(a, toward(a, a0, a1, changes))).actions).toBe("drop");
  });

  it.each([
    ["to the subnet's broadcast address", "10.10.1.255"],
    ["to the limited broadcast address", "255.255.255.255"],
    ["to a multicast group", "224.0.0.5"],
    ["to an address that nobody has", "10.10.1.77"],
    ["to an address of a peer that nobody has", "10.20.1.77"],
    ["to a place without a route", "192.0.2.1"],
  ])("packets %s", async (_what, to) => {
    expect((await fateOf(a, packet(a, a0, to))).actions).toBe("drop");
  });

  it("anything but IPv4 and ARP", async () => {
    const frame = { in_port: 2, dl_src: a0.mac, dl_dst: routerMac(1) };
    const ipv6 = { ipv6: true, ipv6_src: "fe80::1", ipv6_dst: "fe80::2" } as const;
    expect((await fateOf(a, text({ ...frame, ...ipv6 }))).actions).toBe("drop");
    expect((await fateOf(a, text({ ...frame, dl_type: "0x88cc" }))).actions).toBe("drop");
  });

  it("anything from a port that is no interface of the VPC", async () => {
    const strange = toward(a, a0, a1, { in_port: "LOCAL" });
    expect((await fateOf(a, strange)).actions).toBe("drop");
  });
});

describe("ARP", () => {
  const request = (changes: Fields): string =>
    text({
      in_port: 2,
      arp: true,
      dl_src: a0.mac,
      dl_dst: "ff:ff:ff:ff:ff:ff",
      arp_op: 1,
      arp_sha: a0.mac,
      arp_spa: formatIp(a0.ip),
      arp_tha: "00:00:00:00:00:00",
      ...changes,
    });

  it.each([
    ["the own gateway", "10.10.1.1"],
    ["another subnet's gateway", "10.10.2.1"],
    ["a neighbour", formatIp(a1.ip)],
  ])("for %s is answered to the asker alone, with the router's MAC", async (_what, address) => {
    const { ports, actions } = await fateOf(a, request({ arp_tpa: address }));
    expect(ports).toEqual([a0.id]);
    expect(actions).toContain(`sip=${address},tip=${formatIp(a0.ip)},op=2,sha=${routerMac(1)}`);
    expect(actions).toContain(`tha=${a0.mac}`);
    expect(actions).toContain(`src=${routerMac(1)},dst=${a0.mac}`);
  });

  it.each([
    ["for the asker's own address", { arp_tpa: formatIp(a0.ip) }],
    ["as a probe", { arp_spa: "0.0.0.0", arp_tpa: formatIp(a1.ip) }],
    ["for an address that nobody has", { arp_tpa: "10.10.1.77" }],
    ["for a peer's interface", { arp_tpa: formatIp(b0.ip) }],
    ["in another's name", { arp_spa: formatIp(a1.ip), arp_tpa: "10.10.1.1" }],
    ["with another's MAC", { arp_sha: a1.mac, arp_tpa: "10.10.1.1" }],
    ["from another's MAC", { dl_src: a1.mac, arp_tpa: "10.10.1.1" }],
    ["that answers", { arp_op: 2, arp_tpa: "10.10.1.1" }],
    ["inside a VLAN tag", { dl_vlan: 7, dl_vlan_pcp: 0, arp_tpa: "10.10.1.1" }],
  ])("%s gets no answer and goes nowhere", async (_what, changes) => {
    expect((await fateOf(a, request(changes))).actions).toBe("drop");
  });
});

describe("a gateway", () => {
  const ping = (to: string, type = 8) => packet(a, a0, to, {}, icmp(type));

  it.each(["10.10.1.1", "10.10.2.1"])("%s answers pings", async (gateway) => {
    const { ports, actions } = await fateOf(a, ping(gateway));
    expect(ports).toEqual([a0.id]);
    expect(actions).toContain(`src=${gateway},dst=${formatIp(a0.ip)}`);
    expect(actions).toContain("icmp(type=0");
  });

  it("does not answer answers", async () => {
    expect((await fateOf(a, ping("10.10.1.1", 0))).actions).toBe("drop");
  });

  it("does not answer a peer", async () => {
    expect((await fateOf(a, ping("10.20.1.1"))).actions).toBe("drop");
  });

  it("answers nothing but pings", async () => {
    expect((await fateOf(a, packet(a, a0, "10.10.1.1"))).actions).toBe("drop");
  });
});
