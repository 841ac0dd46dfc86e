import { exchangeOf } from "../ovs/e2e/switch-state.js";
import type { PeeringSlot } from "./load/peering-slot.js";
import type { Site, World } from "./world.js";

/** Where the packets of two sites that should talk end: their neighbours, flows and traces. */
export async function explainSilence(world: World, slots: readonly PeeringSlot[]): Promise<string> {
  const [slot] = slots;
  if (slot === undefined) return "nobody is silent";
  const sides = [slot.a, slot.b] as const;
  const bridges = [...sides.map(({ vpc }) => vpc.bridge), await exchangeOf(world.sandbox)];
  const parts = [
    ...sides.map(({ host }) => host.exec("ip", "neigh")),
    traceOf(world, slot.a, slot.b),
    traceOf(world, slot.b, slot.a),
    world.sandbox.appctl("dpctl/dump-flows"),
    world.sandbox.vsctl("show"),
    ...bridges.map((bridge) => world.sandbox.ofctl("dump-flows", bridge)),
  ];
  // The switch may be what is silent: that is worth knowing too.
  const texts = await Promise.all(parts.map((part) => part.catch(String)));
  return [`silent: ${slot.id}, sites ${slot.a.number} and ${slot.b.number}`, ...texts].join("\n\n");
}

async function traceOf({ sandbox }: World, from: Site, to: Site): Promise<string> {
  const port = (await sandbox.vsctl("get", "Interface", from.host.port, "ofport")).trim();
  const neighbours = await from.host.exec("ip", "neigh", "show", from.eni.gateway);
  const router = /lladdr ([0-9a-f:]{17})/.exec(neighbours)?.[1] ?? "02:00:00:00:00:00";
  const packet = [
    `in_port=${port},udp,dl_src=${from.eni.macAddress},dl_dst=${router}`,
    `nw_src=${from.eni.privateIp},nw_dst=${to.eni.privateIp},nw_ttl=64,udp_src=9,udp_dst=4100`,
  ].join(",");
  return sandbox.appctl("ofproto/trace", from.vpc.bridge, packet);
}
