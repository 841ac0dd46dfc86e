import type { Ip } from "../cidr.js";
import type { InterfaceIntent, PeeringIntent, VpcIntent } from "../intent.js";
import { ICMP, ICMPV6, TCP, UDP } from "../traffic.js";
import type { WithheldFact } from "./contested.js";

/** The first packet of a connection. */
export type Opening =
  | { readonly kind: "ports"; readonly protocol: 6 | 17; readonly port: number }
  | { readonly kind: "icmp"; readonly type: number; readonly code: number }
  | { readonly kind: "protocol"; readonly protocol: number };

/** Whether an interface can open a connection to an address. */
export interface Question {
  readonly vpcId: string;
  readonly networkInterfaceId: string;
  /** The address that it sends from; undefined: its primary one. */
  readonly source?: Ip | undefined;
  readonly to: Ip;
  /** The VPC in which the address is meant; undefined: wherever the routes lead. */
  readonly meantVpcId?: string | undefined;
  readonly opening: Opening;
}

/** What the answer is computed from. */
export interface Facts {
  /** The asker's VPC, and the one on the far side of the peering that the question leads through. */
  readonly vpcs: ReadonlyMap<string, VpcIntent>;
  /** Every live peering of these VPCs. */
  readonly peerings: readonly PeeringIntent[];
  /** Automatic routes that were withheld from the tables of these VPCs. */
  readonly withheld?: readonly WithheldFact[] | undefined;
  isPluggedIn(networkInterfaceId: string): boolean;
  /** Whether it has as many connections as it may: those that it opens, or those opened to it. */
  isFull(networkInterfaceId: string, role: "caller" | "called"): boolean;
  /** Why the port of an interface carries no packets; absent: every port that is there does. */
  deadPort?(networkInterfaceId: string): string | undefined;
  /** Why nothing new passes through the switch. */
  readonly outage?: string | undefined;
}

/** The VPC and interface that ask; undefined when they are gone. */
export function askerOf(
  { vpcs }: Pick<Facts, "vpcs">,
  { vpcId, networkInterfaceId }: Question,
): { vpc: VpcIntent; sender: InterfaceIntent } | undefined {
  const vpc = vpcs.get(vpcId);
  const sender = vpc?.interfaces.find(({ id }) => id === networkInterfaceId);
  return vpc === undefined || sender === undefined ? undefined : { vpc, sender };
}

export function protocolOf(opening: Opening): number {
  return opening.kind === "icmp" ? ICMP : opening.protocol;
}

const ECHO_REQUEST = 8;

export function isPing(opening: Opening): boolean {
  return opening.kind === "icmp" && opening.type === ECHO_REQUEST && opening.code === 0;
}

/** Requests for an echo, the time and a network's number (RFC 792). */
const OPENING_ICMP_TYPES = [ECHO_REQUEST, 13, 15];

/**
 * Answers and errors belong to connections that others opened: conntrack takes these alone for new,
 * and only with code 0 (measured with packets on Open vSwitch 3.1.0).
 */
export function opensConnection(opening: Opening): boolean {
  if (opening.kind === "ports") return true;
  if (opening.kind === "protocol") return opening.protocol !== ICMPV6;
  return OPENING_ICMP_TYPES.includes(opening.type) && opening.code === 0;
}

/** As a tenant would say it: `tcp port 443`. */
export function describeOpening(opening: Opening): string {
  switch (opening.kind) {
    case "ports":
      return `${opening.protocol === TCP ? "tcp" : "udp"} port ${opening.port}`;
    case "icmp":
      return isPing(opening) ? "ping" : `icmp type ${opening.type}, code ${opening.code}`;
    case "protocol":
      return `protocol ${opening.protocol}`;
  }
}

export interface OpeningDetails {
  readonly port?: number | undefined;
  readonly type?: number | undefined;
  readonly code?: number | undefined;
}

/** The opening that a protocol number and port stand for; undefined when the port is missing. */
export function openingOf(
  protocol: number,
  { port, type = ECHO_REQUEST, code = 0 }: OpeningDetails,
): Opening | undefined {
  if (protocol === ICMP) return { kind: "icmp", type, code };
  if (protocol !== TCP && protocol !== UDP) return { kind: "protocol", protocol };
  return port === undefined ? undefined : { kind: "ports", protocol, port };
}
