import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../lib/process.mjs";
import { makeWorkloadNamespace, vsctl } from "./place.mjs";

/** An argument list ends at a few MiB, and a transaction of this many ports takes about a second. */
const PORTS_A_CALL = 100;

/**
 * Binds one port a VPC, alike on both sides: a veth into a network namespace where packets are
 * sent from, an internal port of the switch everywhere else, for it costs a tenth of the time.
 * @param {{ plan: object, bridge: string, ifaceId: string, mac: string, probe: boolean }[]} ports
 * @returns {Promise<Workload[]>} those that packets come from
 */
export async function plugIn(place, ports) {
  const workloads = [];
  for (const port of ports.filter(({ probe }) => probe)) {
    workloads.push(await makeWorkload(place, port));
  }
  for (let at = 0; at < ports.length; at += PORTS_A_CALL) {
    const words = ports.slice(at, at + PORTS_A_CALL).flatMap(addPort);
    await vsctl(place, words.slice(1));
  }
  // A veth is set up where it is made; an internal port that is down counts as dead.
  await setUp(place, ports.filter(({ probe }) => !probe).map(deviceName));
  return workloads;
}

const deviceName = ({ plan }) => `port${plan.index}`;

async function setUp(place, devices) {
  const file = join(place.dir, "devices");
  writeFileSync(file, devices.map((device) => `link set ${device} up\n`).join(""));
  await place.inside("ip", ["-batch", file]);
}

/** The words of ovs-vsctl that plug a port in. */
export function addPort(port) {
  const name = deviceName(port);
  const type = port.probe ? [] : ["type=internal"];
  const set = ["set", "Interface", name, ...type, `external_ids:iface-id=${port.ifaceId}`];
  return ["--", "add-port", port.bridge, name, "--", ...set];
}

/** The same as ovs/netns.sh makes, without asking a daemon for each value; no port of a switch yet. */
export async function makeWorkload(place, port) {
  const { plan, mac } = port;
  const workload = await makeHost(place, {
    name: plan.index,
    device: deviceName(port),
    address: plan.address,
    mac,
  });
  await run("ip", ["-n", workload.netns, "route", "add", "default", "via", plan.gateway]);
  return workload;
}

/**
 * Makes a namespace and a veth into it.
 * @param {{ name: string | number, device: string, address: string, mac?: string }} host
 * @returns {Promise<Workload>}
 * @typedef {{ netns: string, address: string, device: string }} Workload `device`: the other end
 */
export async function makeHost(place, { name, device, address, mac }) {
  const netns = await makeWorkloadNamespace(place, name);
  const within = (...args) => run("ip", ["-n", netns, ...args]);
  const peer = ["peer", "name", "eth0", ...(mac ? ["address", mac] : []), "netns", netns];
  await place.inside("ip", ["link", "add", device, "type", "veth", ...peer]);
  await place.inside("ip", ["link", "set", device, "up"]);
  // A veth leaves checksums to hardware that is not there; the userspace datapath does not add them.
  if (place.datapath === "netdev") await setOffload(place, { netns, device }, "off");
  await within("addr", "add", `${address}/24`, "dev", "eth0");
  await within("link", "set", "eth0", "up");
  return { netns, address, device };
}

/** @param {"on" | "off"} offload of checksums, and of segmentation with them, at both ends */
export async function setOffload(place, { netns, device }, offload) {
  await place.inside("ethtool", ["-K", device, "tx", offload]);
  await run("ip", ["netns", "exec", netns, "ethtool", "-K", "eth0", "tx", offload]);
}
