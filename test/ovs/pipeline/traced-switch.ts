import type { InterfaceIntent, VpcIntent } from "../../../src/domain/intent.js";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";
import {
  bridgesOf,
  portsOf,
  type Topology,
  UPLINK,
  uplinksOf,
} from "../../unit/pipeline/topologies.js";
import { installFlows } from "./installed.js";

export interface Fate {
  /** Ports that the packet leaves by, by interface id; none when it is dropped. */
  readonly ports: string[];
  /** The bridges that it comes through, in order: VPC ids or `exchange`. */
  readonly bridges: string[];
  /**
   * What the switch does to the packet, as the trace puts it, from each of its looks at conntrack to
   * the next; `drop` when it does no more than look and remember.
   */
  readonly actions: string;
}

/** A topology on a real switch, with a port for every interface. */
export interface TracedSwitch {
  /** What becomes of a packet; `bridge` is a VPC id or `exchange`, `packet` ovs-fields(7) text. */
  fate(bridge: string, packet: string): Promise<Fate>;
  stop(): Promise<void>;
}

/** Device names: the tag, then what it is; 15 characters at most. */
interface Names {
  bridge(key: string): string;
  port(eni: InterfaceIntent): string;
}

export async function startTracedSwitch(topology: Topology): Promise<TracedSwitch> {
  const sandbox = await startSandbox();
  const tag = uniqueName("t");
  const names: Names = {
    bridge: (key) => `${tag}${key.replace("vpc-", "v").slice(0, 2)}`,
    port: ({ number }) => `${tag}p${number}`,
  };
  const bridges = bridgesOf(topology);
  await sandbox.addBridge(names.bridge("exchange"));
  for (const vpc of topology.vpcs) await plugIn(sandbox, names, topology, vpc);
  for (const [key, flows] of bridges) await installFlows(sandbox, names.bridge(key), flows);
  return {
    fate: async (key, packet) => readFate(sandbox, names, topology, names.bridge(key), packet),
    stop: () => sandbox.stop(),
  };
}

async function plugIn(
  sandbox: Sandbox,
  names: Names,
  { vpcs }: Topology,
  vpc: VpcIntent,
): Promise<void> {
  const bridge = names.bridge(vpc.id);
  const exchangePort = uplinksOf(vpcs).get(vpc.id) ?? 0;
  await sandbox.addBridge(bridge);
  await addPatch(sandbox, bridge, `${bridge}a`, `${bridge}b`, UPLINK);
  await addPatch(sandbox, names.bridge("exchange"), `${bridge}b`, `${bridge}a`, exchangePort);
  const { interfaces } = portsOf(vpc);
  for (const eni of vpc.interfaces) {
    const port = interfaces.get(eni.id)?.port ?? 0;
    await addPort(sandbox, bridge, names.port(eni), port, ["type=internal"]);
  }
}

function addPatch(sandbox: Sandbox, bridge: string, name: string, peer: string, port: number) {
  return addPort(sandbox, bridge, name, port, ["type=patch", `options:peer=${peer}`]);
}

async function addPort(
  sandbox: Sandbox,
  bridge: string,
  name: string,
  port: number,
  settings: readonly string[],
): Promise<void> {
  const wanted = [...settings, `ofport_request=${port}`];
  await sandbox.vsctl("add-port", bridge, name, "--", "set", "Interface", name, ...wanted);
  const given = await sandbox.vsctl("get", "Interface", name, "ofport");
  if (given !== String(port)) throw new Error(`${name} got port ${given} instead of ${port}`);
}

async function readFate(
  sandbox: Sandbox,
  names: Names,
  { vpcs }: Topology,
  bridge: string,
  packet: string,
): Promise<Fate> {
  const trace = await sandbox.appctl("ofproto/trace", bridge, packet);
  const steps = Array.from(trace.matchAll(/^Datapath actions: (.*)$/gm), ([, step = ""]) => step);
  if (steps.length === 0) throw new Error(`no verdict in the trace: ${trace}`);
  const done = steps.map(withoutConntrack).filter((step) => step !== "" && step !== "drop");
  const actions = done.length === 0 ? "drop" : done.join(",");
  const datapathPorts = await portsByDatapathNumber(sandbox);
  const ids = new Map(vpcs.flatMap((vpc) => vpc.interfaces.map((e) => [names.port(e), e.id])));
  const ports = outputs(actions).map((number) => {
    const device = datapathPorts.get(number) ?? `datapath port ${number}`;
    return ids.get(device) ?? device;
  });
  return { ports, bridges: visited(trace, names, vpcs), actions };
}

/** A trace goes on after conntrack with a new connection, as if that had been found there. */
function withoutConntrack(actions: string): string {
  const kept = topLevel(actions).filter((action) => !/^(?:ct|recirc)\(/.test(action));
  return kept.join(",");
}

/** A trace opens the part of each bridge with `bridge("NAME")`, again after each look at conntrack. */
function visited(trace: string, names: Names, vpcs: readonly VpcIntent[]): string[] {
  const keys = ["exchange", ...vpcs.map(({ id }) => id)];
  const byName = new Map(keys.map((key) => [names.bridge(key), key]));
  const found = Array.from(
    trace.matchAll(/^\s*bridge\("([^"]+)"\)$/gm),
    ([, name = ""]) => byName.get(name) ?? name,
  );
  return [...new Set(found)];
}

/** Numbers that stand for themselves among the actions. */
function outputs(actions: string): string[] {
  return topLevel(actions).filter((action) => /^\d+$/.test(action));
}

/** Actions are parted by commas outside of parentheses. */
function topLevel(actions: string): string[] {
  let depth = 0;
  let last = "";
  const parts: string[] = [];
  for (const char of actions) {
    if (char === "(") depth += 1;
    if (char === ")") depth -= 1;
    if (char === "," && depth === 0) parts.push(last);
    last = char === "," && depth === 0 ? "" : last + char;
  }
  return [...parts, last];
}

/** `dpif/show` lists each port as `NAME OPENFLOW/DATAPATH: (TYPE)`. */
async function portsByDatapathNumber(sandbox: Sandbox): Promise<ReadonlyMap<string, string>> {
  const shown = await sandbox.appctl("dpif/show");
  const ports = shown.matchAll(/^\s+(\S+) \d+\/(\d+):/gm);
  return new Map(Array.from(ports, ([, name = "", number = ""]) => [number, name] as const));
}
