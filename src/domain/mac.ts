import { randomBytes } from "node:crypto";

export const MAC_PATTERN = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Locally administered prefix of router MACs; no network interface may use it. */
const ROUTER_PREFIX = "0a:50";

/** The MAC of a VPC's router, on its own bridge and on the exchange, from the VPC's number. */
export function routerMac(vpcNumber: number): string {
  const hex = vpcNumber.toString(16).padStart(8, "0");
  return `${ROUTER_PREFIX}:${hex.match(/../g)?.join(":")}`;
}

export function randomInterfaceMac(): string {
  return `02:${Array.from(randomBytes(5), (byte) => byte.toString(16).padStart(2, "0")).join(":")}`;
}

/** Why a network interface may not have this (well-formed) address; undefined when it may. */
export function macProblem(mac: string): string | undefined {
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1) return "it is a multicast address";
  if (mac === "00:00:00:00:00:00") return "it is the zero address";
  if (mac.startsWith(`${ROUTER_PREFIX}:`)) return `${ROUTER_PREFIX}:* belongs to VPC routers`;
  return undefined;
}
