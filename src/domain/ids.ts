import { randomBytes, randomInt } from "node:crypto";

/** The kinds of resource that carry an EC2-style identifier, and their prefixes. */
export const ID_PREFIXES = {
  vpc: "vpc",
  subnet: "subnet",
  networkInterface: "eni",
  vpcPeering: "pcx",
  routeTable: "rtb",
  securityGroup: "sg",
  securityGroupRule: "sgr",
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

const HEX_DIGITS = 17;

/** Matches identifiers of one kind: the prefix, a dash and 17 lower-case hex digits. */
export function idPattern(kind: IdKind): RegExp {
  return new RegExp(`^${ID_PREFIXES[kind]}-[0-9a-f]{${HEX_DIGITS}}$`);
}

export function newId(kind: IdKind): string {
  const hex = randomBytes(Math.ceil(HEX_DIGITS / 2)).toString("hex");
  return `${ID_PREFIXES[kind]}-${hex.slice(0, HEX_DIGITS)}`;
}

/** A tenant is an account: 12 decimal digits, the first not zero so that no client drops it. */
export const TENANT_ID_PATTERN = /^[0-9]{12}$/;

export function newTenantId(): string {
  return `${randomInt(1, 10)}${String(randomInt(0, 10 ** 11)).padStart(11, "0")}`;
}

/** Access keys look like the ones AWS clients already store: `AKPB` and 16 characters of base32. */
export const ACCESS_KEY_ID_PATTERN = /^AKPB[A-Z2-7]{16}$/;

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export function newAccessKeyId(): string {
  const letters = Array.from(randomBytes(16), (byte) => BASE32[byte % BASE32.length]);
  return `AKPB${letters.join("")}`;
}
