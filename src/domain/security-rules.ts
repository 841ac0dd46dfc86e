import { cidr } from "./cidr.js";
import { DomainError, type ErrorCode } from "./errors.js";
import type { RuleDirection, SecurityGroupRulePeer } from "./resources.js";
import { HIGHEST_PORT, ICMP, TCP, type Traffic, UDP } from "./traffic.js";

/** The group that every VPC has from the start; no other may have its name. */
export const DEFAULT_GROUP = {
  name: "default",
  description: "default VPC security group",
} as const;

/** Protocols that rules are shown with by name. */
export const PROTOCOL_NUMBERS = { tcp: TCP, udp: UDP, icmp: ICMP } as const;

export type NamedProtocol = keyof typeof PROTOCOL_NUMBERS;

export const HIGHEST_PROTOCOL = 255;

/** Means every type or code of ICMP, in requests and answers (EC2: IpPermission, FromPort and ToPort). */
export const ANY_ICMP = -1;

const HIGHEST_ICMP = 255;

const ANYWHERE = cidr("0.0.0.0/0");

/** What a rule admits, before it is one. */
export interface RuleContent {
  readonly direction: RuleDirection;
  readonly traffic: Traffic;
  readonly peer: SecurityGroupRulePeer;
  readonly description: string;
}

const ALL_EGRESS: RuleContent = {
  direction: "egress",
  traffic: { kind: "all" },
  peer: { kind: "block", block: ANYWHERE },
  description: "",
};

/** As in EC2: everything may leave, nothing may enter. */
export const NEW_GROUP_RULES: readonly RuleContent[] = [ALL_EGRESS];

/** As in EC2: its own members may enter as well. */
export function defaultGroupRules(groupId: string, vpcId: string): RuleContent[] {
  const peer = { kind: "group", groupId, vpcId } as const;
  return [{ direction: "ingress", traffic: { kind: "all" }, peer, description: "" }, ALL_EGRESS];
}

/** Traffic as callers spell it. */
export interface TrafficInput {
  readonly protocol: NamedProtocol | "all" | number;
  /** For ICMP: the type. */
  readonly fromPort?: number | undefined;
  /** For ICMP: the code. */
  readonly toPort?: number | undefined;
}

/** @throws DomainError `ValidationError`, `InvalidParameterValue` */
export function ruleTraffic(input: TrafficInput): Traffic {
  const { protocol: spelled } = input;
  const protocol =
    typeof spelled === "string" && spelled !== "all" ? PROTOCOL_NUMBERS[spelled] : spelled;
  if (protocol === TCP || protocol === UDP) return { kind: "ports", protocol, ...portRange(input) };
  if (protocol === ICMP) return { kind: "icmp", ...icmpFields(input) };
  refusePorts(input);
  return protocol === "all" ? { kind: "all" } : { kind: "protocol", protocol };
}

/** Both ends, or neither for all ports. */
function portRange({ fromPort, toPort }: TrafficInput): { from: number; to: number } {
  if (fromPort === undefined && toPort === undefined) return { from: 0, to: HIGHEST_PORT };
  if (fromPort === undefined)
    throw refused("/fromPort", "toPort needs fromPort", "ValidationError");
  if (toPort === undefined) throw refused("/toPort", "fromPort needs toPort", "ValidationError");
  requireBetween("/fromPort", fromPort, 0, HIGHEST_PORT);
  requireBetween("/toPort", toPort, 0, HIGHEST_PORT);
  if (fromPort > toPort) throw refused("/toPort", `toPort ${toPort} is below fromPort ${fromPort}`);
  return { from: fromPort, to: toPort };
}

function icmpFields(input: TrafficInput): { type: number | null; code: number | null } {
  const { fromPort: type = ANY_ICMP, toPort: code = ANY_ICMP } = input;
  requireBetween("/fromPort", type, ANY_ICMP, HIGHEST_ICMP);
  requireBetween("/toPort", code, ANY_ICMP, HIGHEST_ICMP);
  if (type === ANY_ICMP && code !== ANY_ICMP) {
    throw refused("/fromPort", "an ICMP code (toPort) needs a type (fromPort)");
  }
  return { type: type === ANY_ICMP ? null : type, code: code === ANY_ICMP ? null : code };
}

function refusePorts({ protocol, fromPort, toPort }: TrafficInput): void {
  if (fromPort === undefined && toPort === undefined) return;
  const pointer = fromPort === undefined ? "/toPort" : "/fromPort";
  throw refused(pointer, `a rule for protocol ${protocol} has no ports`);
}

function requireBetween(pointer: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw refused(pointer, `${pointer.slice(1)} is ${value}; allowed is ${min} to ${max}`);
}

function refused(
  pointer: string,
  detail: string,
  code: ErrorCode = "InvalidParameterValue",
): DomainError {
  return new DomainError(code, detail, { pointer });
}

/** The name of a protocol that has one here, else its number. */
export function spelledProtocol(number: number): NamedProtocol | number {
  const names = Object.keys(PROTOCOL_NUMBERS) as NamedProtocol[];
  return names.find((name) => PROTOCOL_NUMBERS[name] === number) ?? number;
}
