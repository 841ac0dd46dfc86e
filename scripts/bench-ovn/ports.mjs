import { run } from "../lib/process.mjs";
import { makeWorkloadNamespace, vsctl } from "./place.mjs";

/** An argument list ends at a few MiB, and a transaction of this many ports takes about a second. */
const PORTS_A_CALL = 100;

/**
 * Binds one port a VPC, alike on both sides: a veth into a network namespace where packets are
 * sent from, an internal port of the switch everywhere else, for it costs a tenth of the time.
 * @param {{ plan: object, bridge: string, ifaceId: string, mac: string, probe: boolean }[]} ports
 * @returns {Promise<{ netns: string, address: string }[]>} the workloads that packets come from
 */
export async function plugIn(place, ports) {
  const workloads = [];
  for (const port of ports.filter(({ probe }) => probe))
    workloads.push(await makeVeth(place, port));
  for (let at = 0; at < ports.length; at += PORTS_A_CALL) {
    const words = ports.slice(at, at + PORTS_A_CALL).flatMap(addPort);
    await vsctl(place, words.slice(1));
  }
  // A veth is set up where it is made; an internal port that is down counts as dead.
  for (const port of ports.filter(({ probe }) => !probe))
    await place.inside("ip", ["link", "set", deviceName(port), "up"]);
  return workloads;
}

const deviceName = ({ plan }) => `port${plan.index}`;

function addPort(port) {
  const name = deviceName(port);
  const type = port.probe ? [] : ["type=internal"];
  const set = ["set", "Interface", name, ...type, `external_ids:iface-id=${port.ifaceId}`];
  return ["--", "add-port", port.bridge, name, "--", ...set];
}

/** The same as ovs/netns.sh makes, without asking a daemon for each value. */
async function makeVeth(place, port) {
  const { plan, mac } = port;
  const device = deviceName(port);
  const netns = await makeWorkloadNamespace(place, plan.index);
  const within = (...args) => run("ip", ["-n", netns, ...args]);
  const peer = ["peer", "name", "eth0", "address", mac, "netns", netns];
  await place.inside("ip", ["link", "add", device, "type", "veth", ...peer]);
  await place.inside("ip", ["link", "set", device, "up"]);
  // A veth leaves checksums to hardware that is not there; the userspace datapath does not add them.
  await place.inside("ethtool", ["-K", device, "tx", "off"]);
  await run("ip", ["netns", "exec", netns, "ethtool", "-K", "eth0", "tx", "off"]);
  await within("addr", "add", `${plan.address}/24`, "dev", "eth0");
  await within("link", "set", "eth0", "up");
  await within("route", "add", "default", "via", plan.gateway);
  return { netns, address: plan.address };
}
