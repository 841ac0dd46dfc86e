import { ICMP, type Traffic } from "../domain/traffic.js";
import type { Match } from "../openflow/flow.js";
import { portMasks, portMatch } from "../openflow/port-masks.js";
import { REGISTERS } from "./registers.js";

const ANY_CODE = "0xff00";
const TYPE_AND_CODE = "0xffff";

/** What a packet's connection must be like, one match for each mask of ports. */
export function trafficMatches(traffic: Traffic): Match[] {
  switch (traffic.kind) {
    case "all":
      return [{}];
    case "protocol":
      return [protocolMatch(traffic.protocol)];
    case "ports":
      return portMasks(traffic.from, traffic.to).map((mask) => ({
        ...protocolMatch(traffic.protocol),
        ...portMatch("ct_tp_dst", mask),
      }));
    case "icmp":
      return [{ ...protocolMatch(ICMP), ...icmpMatch(traffic.type, traffic.code) }];
  }
}

/**
 * The switch takes ct_nw_proto=0 and prints nothing for it (Open vSwitch 3.1): such a flow would pass
 * for one that allows everything. So 0 is matched in the packet itself, which is the same but for
 * ICMP errors about it: they do not pass.
 */
function protocolMatch(protocol: number): Match {
  return protocol === 0 ? { nw_proto: "0" } : { ct_nw_proto: String(protocol) };
}

/** The switch matches no ICMP fields of a connection: they are in a register by now. */
function icmpMatch(type: number | null, code: number | null): Match {
  if (type === null) return {};
  const value = (type << 8) | (code ?? 0);
  const text = value === 0 ? "0" : `0x${value.toString(16)}`;
  return { [REGISTERS.notes.field]: `${text}/${code === null ? ANY_CODE : TYPE_AND_CODE}` };
}
