import { formatIp } from "../../../src/domain/cidr.js";
import type { InterfaceIntent, VpcIntent } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import { ICMP } from "../../../src/domain/traffic.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { countedDrop } from "../../../src/pipeline/drops.js";
import { Conntrack } from "./interpreter/conntrack.js";
import {
  entering,
  type Fields,
  runBridge,
  type Tables,
  tablesOf,
} from "./interpreter/interpreter.js";
import { packetOf, type Tuple } from "./interpreter/tuple.js";
import { bridgesOf, portsOf, type Topology, UPLINK, uplinksOf } from "./topologies.js";

/** The tables of each bridge, by the VPC's id or `exchange`. */
export type Bridges = ReadonlyMap<string, Tables>;

export function bridgeTables(topology: Topology): Bridges {
  return new Map([...bridgesOf(topology)].map(([bridge, flows]) => [bridge, tablesOf(flows)]));
}

export type CountedDrop = NonNullable<ReturnType<typeof countedDrop>>;

/** A packet that an interface sends, but for what the interface itself puts in. */
export interface Packet {
  readonly fields: Fields;
  /** It is an ICMP error about a packet with this tuple. */
  readonly about?: Tuple | undefined;
}

/** A topology with packets on it: its flows change, what conntrack remembers stays. */
export class Network {
  readonly conntrack = new Conntrack();
  readonly #drops: CountedDrop[] = [];
  #topology: Topology;
  #bridges: Bridges;

  constructor(topology: Topology, bridges: Bridges = bridgeTables(topology)) {
    this.#topology = topology;
    this.#bridges = bridges;
  }

  change(topology: Topology): void {
    this.#topology = topology;
    this.#bridges = bridgeTables(topology);
  }

  /** What the last packet was counted as. */
  get drops(): readonly CountedDrop[] {
    return this.#drops;
  }

  /** Ids of the interfaces that get a packet, in whatever VPC. */
  send(vpc: VpcIntent, from: InterfaceIntent, { fields, about }: Packet): string[] {
    const { vpcs } = this.#topology;
    const uplinks = uplinksOf(vpcs);
    this.#drops.length = 0;
    const matched = (flow: Flow) => void this.#drops.push(...countOf(flow));
    const circumstances = { conntrack: this.conntrack, about, matched };
    const run = (bridge: string, packet: Fields) =>
      runBridge(this.#bridges.get(bridge) ?? new Map(), packet, circumstances);
    return run(vpc.id, sentBy(vpc, from, fields)).flatMap((sent) => {
      if (sent.port !== String(UPLINK)) return [idAt(vpc, sent.port)];
      return run("exchange", entering(sent, uplinks.get(vpc.id) ?? 0)).flatMap((passed) => {
        const peer = vpcs.find(({ id }) => String(uplinks.get(id)) === passed.port);
        if (peer === undefined) throw new Error(`no VPC at port ${passed.port}`);
        return run(peer.id, entering(passed, UPLINK)).map(({ port }) => idAt(peer, port));
      });
    });
  }
}

function countOf(flow: Flow): CountedDrop[] {
  const counted = countedDrop(flow);
  return counted === undefined ? [] : [counted];
}

function sentBy(vpc: VpcIntent, from: InterfaceIntent, fields: Fields): Fields {
  return {
    ip: true,
    nw_src: formatIp(from.ip),
    ...fields,
    in_port: String(portsOf(vpc).interfaces.get(from.id)?.port),
    dl_src: from.mac,
    dl_dst: routerMac(vpc.number),
  };
}

function idAt(vpc: VpcIntent, port: string): string {
  const [found] = [...portsOf(vpc).interfaces].find(([, at]) => String(at.port) === port) ?? [];
  return found ?? `port ${port} of ${vpc.id}`;
}

/** ICMP: nothing can be reached there; it carries the head of the packet that it is about. */
export function errorAbout(tuple: Tuple): Packet {
  const { source, target } = tuple;
  const unreachable = { protocol: ICMP, source: target, target: source, from: 0, to: 3 };
  return { fields: packetOf(unreachable), about: tuple };
}
