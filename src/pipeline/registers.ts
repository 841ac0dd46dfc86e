import { type Action, setRegister } from "../openflow/action.js";

/** A register by name; registers are 32 bits, zero on entry to a bridge, lost on leaving it. */
export interface Register {
  readonly field: string;
  readonly holds: string;
}

export const REGISTERS = {
  interface: {
    field: "reg0",
    holds: "number of the interface whose turn it is: the sender's, then the receiver's; else 0",
  },
  peering: {
    field: "reg1",
    holds: "number of the peering that the packet leaves or came through; 0 inside the VPC",
  },
  routeTable: {
    field: "reg2",
    holds: "number of the route table of the subnet that the packet comes from or goes to",
  },
  zone: {
    field: "reg3",
    holds:
      "the conntrack zones of the interface whose turn it is: in the lower 16 bits that in which the connection is, or would be, remembered; in the upper 16 the other one",
  },
  group: {
    field: "reg4",
    holds: "number of the security group whose rules are being looked through",
  },
  role: {
    field: "reg5",
    holds: "whether the interface opened the connection (1) or was called (2)",
  },
  notes: {
    field: "reg6",
    holds:
      "what is noted with a connection: type (bits 8 to 15) and code (0 to 7) of the ICMP message that opened it, and that it is remembered (bit 16)",
  },
  verdict: {
    field: "reg7",
    holds: "1 once a rule has allowed the connection",
  },
  continuity: {
    field: "reg8",
    holds: "1 when the connection was made through the peering that the packet takes",
  },
  dropReason: {
    field: "reg9",
    holds: "why the packet is dropped: see the table drops",
  },
  invalid: {
    field: "reg10",
    holds: "1 when the zone that was asked first calls the packet invalid",
  },
  askedAddress: {
    field: "reg11",
    holds: "the address that an ARP request asks for, while the answer is made of it",
  },
} as const satisfies Record<string, Register>;

/** The zones as the `ct` action takes them. */
export const ZONE_BITS = "NXM_NX_REG3[0..15]";
export const OTHER_ZONE_BITS = "NXM_NX_REG3[16..31]";

/** @param zone where a connection that this packet opens is remembered */
export function setZones(zone: number, other: number): Action {
  return setRegister(REGISTERS.zone.field, other * 2 ** 16 + zone);
}

/** In the register `notes`, and in a connection's label: it has found room in its zone. */
export const REMEMBERED = 2 ** 16;
export const NOTE_BITS = { register: "NXM_NX_REG6[0..16]", label: "NXM_NX_CT_LABEL[0..16]" };

/** What the register `role` holds. */
export const ROLES = { caller: 1, called: 2 } as const;

export type Role = keyof typeof ROLES;

/** In the register `peering`: the packet stays in its VPC. */
export const LOCAL = 0;

/** A flag in a register. */
export const [NO, YES] = [0, 1];

/** A register's value as the switch prints it in a match. */
export function registerMatch(register: Register, value: number): Record<string, string> {
  return { [register.field]: value === 0 ? "0" : `0x${value.toString(16)}` };
}
