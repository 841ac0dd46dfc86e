import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, isRoot, ROOT, run, sleep, succeeds } from "./process.mjs";

const NETNS = join(ROOT, "ovs/netns.sh");
const BOUND_LIMIT_MS = 10_000;

/** @returns {string[]} why packets cannot be shown here; empty when they can */
export async function whatIsMissing(env) {
  if (process.platform !== "linux") return ["this is not Linux"];
  if (!isRoot()) return ["network namespaces need root"];
  const programs = { ip: "iproute2", ethtool: "ethtool", ping: "iputils-ping", curl: "curl" };
  const missing = [];
  for (const [program, name] of Object.entries(programs)) {
    if (!(await succeeds("sh", ["-c", `PATH=$PATH:/usr/sbin:/sbin; command -v ${program}`]))) {
      missing.push(`${program} is missing (package ${name})`);
    }
  }
  const ovsdb = env.PATCHBAY_OVSDB ?? "unix:/var/run/openvswitch/db.sock";
  const show = [`--db=${ovsdb}`, "--timeout=3", "--no-wait", "show"];
  if (!(await succeeds("ovs-vsctl", show))) missing.push(`no Open vSwitch answers at ${ovsdb}`);
  return missing;
}

/** @returns {string} a name for a namespace that no other demonstration has */
export const namespaceName = (who) => `pbdemo-${who}-${randomBytes(3).toString("hex")}`;

export const attach = (eni, netns, env) => run(NETNS, ["attach", eni, netns], { env });

export const detach = (eni, env) => run(NETNS, ["detach", eni], { env });

/** @returns {Promise<boolean>} whether at least one of some echo requests was answered */
export async function ping(netns, target, count = 2) {
  const command = ["-n", "-q", "-c", `${count}`, "-i", "0.2", "-W", "1", target];
  try {
    await run("ip", ["netns", "exec", netns, "ping", ...command], { limitMs: 10_000 });
    return true;
  } catch (error) {
    // 1: no answer. Anything else is not about the network.
    if (error instanceof CommandError && error.code === 1) return false;
    throw error;
  }
}

/** Waits until the daemon has found the port and programmed it. */
export async function untilBound(call, eni) {
  const deadline = Date.now() + BOUND_LIMIT_MS;
  for (;;) {
    const found = await call("GET", `/network-interfaces/${eni}`);
    if (found.state === "in-use" && found.dataPlane.state === "programmed") return found;
    if (Date.now() > deadline) {
      const { state, message = "" } = found.dataPlane;
      throw new Error(`${eni} is ${found.state}, data plane ${state} ${message}`);
    }
    await sleep(50);
  }
}

/**
 * Pings from one side and looks at the datapath meanwhile.
 * @param {{ netns: string, eni: { id: string, privateIp: string } }} side
 * @returns {Promise<string[]>} the flows that carry its packets to that address
 */
export async function datapathFlows(side, to, env) {
  const from = side.eni.privateIp;
  const port = `in_port(pv${side.eni.id.slice(-13)})`;
  const pinging = ping(side.netns, to, 8);
  let found = [];
  for (let turn = 0; turn < 15 && found.length === 0; turn++) {
    await sleep(100);
    const flows = await allDatapathFlows(env);
    found = flows.filter((line) => line.includes(port) && carries(line, from, to));
  }
  await pinging;
  return found;
}

const carries = (line, from, to) =>
  /eth_type\(0x0800\)/.test(line) && !/actions:drop/.test(line) && talksOf(line, from, to);

/** Wide matches (`src=10.0.0.0/255.255.0.0`) carry the packet as well as exact ones. */
function talksOf(line, from, to) {
  const fields = /ipv4\(([^)]*)\)/.exec(line)?.[1] ?? "";
  const matches = (name, address) => {
    const [, base, mask] = new RegExp(`${name}=([0-9.]+)(?:/([0-9.]+))?`).exec(fields) ?? [];
    if (base === undefined) return false;
    const bits = mask === undefined ? 0xffffffff : number(mask);
    return (number(base) & bits) === (number(address) & bits);
  };
  return matches("src", from) && matches("dst", to);
}

const number = (address) =>
  address.split(".").reduce((sum, part) => ((sum << 8) | Number(part)) >>> 0, 0);

async function allDatapathFlows(env) {
  const rundir = env.PATCHBAY_OVS_RUNDIR ?? "/var/run/openvswitch";
  const pid = readFileSync(join(rundir, "ovs-vswitchd.pid"), "utf8").trim();
  const type = env.PATCHBAY_DATAPATH === "netdev" ? "netdev" : "system";
  const socket = join(rundir, `ovs-vswitchd.${pid}.ctl`);
  const dump = ["-t", socket, "dpctl/dump-flows", "--names", `${type}@ovs-${type}`];
  const { stdout } = await run("ovs-appctl", dump, { limitMs: 5000 });
  return stdout
    .split("\n")
    .map((line) => line.replace(/recirc_id\(0\),|packet_type\([^)]*\),/g, ""));
}
