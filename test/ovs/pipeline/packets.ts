import { formatIp } from "../../../src/domain/cidr.js";
import type { InterfaceIntent, VpcIntent } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import { autoRouted, peering, UPLINK, vpc } from "../../unit/pipeline/topologies.js";

/** A peers with B, B with C; D waits for A's acceptance. A has two subnets, two interfaces each. */
export const a = vpc(1, ["10.10.1.0/24", "10.10.2.0/24"], 2);
export const b = vpc(2, ["10.20.1.0/24"], 2);
export const c = vpc(3, ["10.30.1.0/24"]);
export const d = vpc(4, ["10.40.1.0/24"]);
export const peerings = [
  peering(101, a, b),
  peering(102, b, c),
  peering(103, a, d, { admitted: false }),
];

/** All of them, each with routes to its peers. */
export const network = autoRouted({ vpcs: [a, b, c, d], peerings });

function eni(of: VpcIntent, index: number): InterfaceIntent {
  const found = of.interfaces[index];
  if (found === undefined) throw new Error(`${of.id} has no interface ${index}`);
  return found;
}

export const [a0, a1, a2] = [eni(a, 0), eni(a, 1), eni(a, 2)];
export const [b0, b1, c0, d0] = [eni(b, 0), eni(b, 1), eni(c, 0), eni(d, 0)];

/** Fields of a packet by name, as in ovs-fields(7); `true` for protocol words. */
export type Fields = Record<string, string | number | true>;

export function text(fields: Fields): string {
  return Object.entries(fields)
    .map(([field, value]) => (value === true ? field : `${field}=${value}`))
    .join(",");
}

const WEB: Fields = { tcp: true, tp_dst: 80 };

export const icmp = (type: number): Fields => ({ icmp: true, icmp_type: type, icmp_code: 0 });

/** An IPv4 packet as `from` sends it to an address; the protocol comes first, as OVS wants it. */
export function packet(
  of: VpcIntent,
  from: InterfaceIntent,
  to: string,
  changes: Fields = {},
  protocol: Fields = WEB,
): string {
  const fields: Fields = {
    ...protocol,
    in_port: UPLINK + 1 + of.interfaces.indexOf(from),
    dl_src: from.mac,
    dl_dst: routerMac(of.number),
    nw_src: formatIp(from.ip),
    nw_dst: to,
    nw_ttl: 64,
  };
  return text({ ...fields, ...changes });
}

export const toward = (
  of: VpcIntent,
  from: InterfaceIntent,
  to: InterfaceIntent,
  changes: Fields = {},
) => packet(of, from, formatIp(to.ip), changes);
