import { formatIp, type Ip } from "../../../domain/cidr.js";
import { macFor } from "../../../domain/interface-addresses.js";
import { routerMac } from "../../../domain/mac.js";
import { type Opening, protocolOf } from "../../../domain/reachability/question.js";
import type { End, Probe } from "../../../domain/reachability/trace.js";
import { TCP } from "../../../domain/traffic.js";
import { REMEMBERED } from "../../../pipeline/registers.js";

/** A packet as `ofproto/trace` takes it, and what conntrack knows of its connection. */
export interface TracedPacket {
  readonly flow: string;
  /** Without what the packet itself says. */
  readonly connection: readonly string[];
}

/** The connection once conntrack has found room for it, as far as the next table asks. */
export function remember(connection: readonly string[]): string[] {
  const others = connection.filter((field) => !field.startsWith("ct_label="));
  return [...others, `ct_label=${REMEMBERED}`];
}

/** Where a client's ports begin (RFC 6335). */
const CLIENT_PORT = 49_152;
const BROADCAST = "ff:ff:ff:ff:ff:ff";
const TTL = 64;

/** The packet that opens the connection. */
export function openingPacket(port: number, probe: Probe): TracedPacket {
  const { from, to, opening, unicast } = probe;
  const ports = { source: CLIENT_PORT, destination: opening.kind === "ports" ? opening.port : 0 };
  const type = opening.kind === "icmp" ? opening.type : 0;
  return {
    flow: packetFlow(port, from, to, opening, { ports, type, unicast }),
    connection: ["ct_state=new|trk", ...connectionOf(probe)],
  };
}

/** The packet that answers it. */
export function answeringPacket(port: number, probe: Probe, answering: End): TracedPacket {
  const { from, opening, peering } = probe;
  const ports = { source: opening.kind === "ports" ? opening.port : 0, destination: CLIENT_PORT };
  const isIcmp = opening.kind === "icmp";
  const type = isIcmp ? answerTo(opening.type) : 0;
  const label = isIcmp ? [`ct_label=${(opening.type << 8) | opening.code}`] : [];
  return {
    flow: packetFlow(port, answering, from.source, opening, { ports, type, unicast: true }),
    connection: ["ct_state=est|rpl|trk", `ct_mark=${peering}`, ...label, ...connectionOf(probe)],
  };
}

/** Types of ICMP messages (RFC 792): an echo is answered by 0, the other two by the next number. */
function answerTo(type: number): number {
  return type === 8 ? 0 : type + 1;
}

interface Details {
  readonly ports: { readonly source: number; readonly destination: number };
  readonly type: number;
  readonly unicast: boolean;
}

function packetFlow(
  port: number,
  { eni, vpcNumber, source: address }: End,
  to: Ip,
  opening: Opening,
  { ports, type, unicast }: Details,
): string {
  const { source, destination } = ports;
  const word = opening.kind === "ports" && opening.protocol === TCP ? "tcp" : "udp";
  const fields = [
    `in_port=${port}`,
    `dl_src=${macFor(eni, address)}`,
    `dl_dst=${unicast ? routerMac(vpcNumber) : BROADCAST}`,
    ...(opening.kind === "protocol" ? ["ip", `nw_proto=${opening.protocol}`] : []),
    ...(opening.kind === "ports" ? [word] : []),
    ...(opening.kind === "icmp" ? ["icmp", `icmp_type=${type}`, `icmp_code=${opening.code}`] : []),
    `nw_src=${formatIp(address)}`,
    `nw_dst=${formatIp(to)}`,
    `nw_ttl=${TTL}`,
    ...(opening.kind === "ports" ? [`${word}_src=${source}`, `${word}_dst=${destination}`] : []),
  ];
  return fields.join(",");
}

/** The packet that opened it, which the answer is recognised by. */
function connectionOf({ from, to, opening }: Probe): string[] {
  return [
    `ct_nw_src=${formatIp(from.source)}`,
    `ct_nw_dst=${formatIp(to)}`,
    `ct_nw_proto=${protocolOf(opening)}`,
    ...(opening.kind === "ports" ? [`ct_tp_src=${CLIENT_PORT}`, `ct_tp_dst=${opening.port}`] : []),
  ];
}

const PROTOCOL_WORDS = ["tcp", "udp", "sctp", "icmp", "ip"];

/**
 * The flow that a trace goes on with, and the connection that it has no idea of. Fields that others
 * depend on stand before those.
 */
export function resumeWith(resumed: string, connection: readonly string[]): string {
  const fields = resumed.split(",").filter((field) => field !== "eth");
  const isZone = (field: string) => field.startsWith("ct_zone=");
  const first = fields.filter((field) => PROTOCOL_WORDS.includes(field));
  const others = fields.filter((field) => !first.includes(field) && !field.startsWith("ct_"));
  // The switch prints `tp_src` for every protocol, and reads it for TCP alone.
  const readable = others.map((field) => field.replace(/^tp_/, `${first[0]}_`));
  return [...first, ...fields.filter(isZone), ...connection, ...readable].join(",");
}
