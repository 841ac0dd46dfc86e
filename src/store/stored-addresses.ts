import { type Cidr, cidr, type Ip, parseIp } from "../domain/cidr.js";

/** An address as PostgreSQL's inet prints it. */
export function storedIp(text: string): Ip {
  const ip = parseIp(text.replace(/\/(32|128)$/, ""));
  if (ip === undefined) throw new RangeError(`not an address: ${text}`);
  return ip;
}

/** A block as PostgreSQL's inet prints it: that of one address without its prefix length. */
export function storedBlock(text: string): Cidr {
  return cidr(text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`);
}
