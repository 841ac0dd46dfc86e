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
    holds: "the conntrack zone of the interface whose turn it is, in the lower 16 bits",
  },
  group: {
    field: "reg4",
    holds: "number of the security group whose rules are being looked through",
  },
  role: {
    field: "reg5",
    holds: "whether the interface opened the connection (1) or was called (2)",
  },
  icmp: {
    field: "reg6",
    holds: "type (bits 8 to 15) and code (0 to 7) of the ICMP message that opened the connection",
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
} as const satisfies Record<string, Register>;

/** The zone as the `ct` action takes it. */
export const ZONE_BITS = "NXM_NX_REG3[0..15]";

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
