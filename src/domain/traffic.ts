/**
 * A kind of traffic that a rule allows. Protocols are IANA's numbers; the ends of a range of ports
 * are part of it. A null type or code of ICMP means any (RFC 792).
 */
export type Traffic =
  | { readonly kind: "all" }
  | {
      readonly kind: "ports";
      readonly protocol: 6 | 17;
      readonly from: number;
      readonly to: number;
    }
  | { readonly kind: "icmp"; readonly type: number | null; readonly code: number | null }
  | { readonly kind: "protocol"; readonly protocol: number };

export const TCP = 6;
export const UDP = 17;
export const ICMP = 1;
/** Belongs to IPv6; conntrack takes it for invalid within IPv4. */
export const ICMPV6 = 58;
export const HIGHEST_PORT = 65_535;
