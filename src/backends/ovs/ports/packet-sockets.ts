import { readFile } from "node:fs/promises";

/** The network devices that packet sockets listen to, in the network namespace of a process. */
export interface PacketSockets {
  /** By index. */
  readonly devices: ReadonlySet<number>;
  /** Whether one listens to a device that is gone. */
  readonly someAreOrphans: boolean;
}

const DEVICE_COLUMN = 4;
const GONE = -1;

/**
 * What ovs-vswitchd listens to: the userspace datapath has a packet socket on each network device.
 * Undefined where that cannot be seen from here: in another container, or without the right to.
 */
export async function packetSocketsOf(vswitchd: number): Promise<PacketSockets | undefined> {
  try {
    const name = await readFile(`/proc/${vswitchd}/comm`, "utf8");
    if (!name.startsWith("ovs-vswitchd")) return undefined;
    return parsePacketSockets(await readFile(`/proc/${vswitchd}/net/packet`, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

/** Reads `/proc/net/packet`: a headline, and one line for each socket. */
export function parsePacketSockets(text: string): PacketSockets {
  const lines = text.split("\n").slice(1);
  const found = lines.map((line) => Number(line.trim().split(/\s+/)[DEVICE_COLUMN]));
  const devices = new Set(found.filter((index) => index > 0));
  return { devices, someAreOrphans: found.includes(GONE) };
}
