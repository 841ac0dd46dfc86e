/** A register by name; registers are 32 bits, zero on entry to a bridge, lost on leaving it. */
export interface Register {
  readonly field: string;
  readonly holds: string;
}

export const REGISTERS = {
  ingressInterface: {
    field: "reg0",
    holds: "number of the interface that sent the packet; 0 when it came from the exchange",
  },
  peering: {
    field: "reg1",
    holds: "number of the peering that the packet leaves or came through; 0 inside the VPC",
  },
  routeTable: {
    field: "reg2",
    holds: "number of the route table of the subnet that the packet comes from or goes to",
  },
} as const satisfies Record<string, Register>;

/** A register's value as the switch prints it in a match. */
export function registerMatch(register: Register, value: number): Record<string, string> {
  return { [register.field]: value === 0 ? "0" : `0x${value.toString(16)}` };
}
