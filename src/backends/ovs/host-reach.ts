import { readdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { PortWarning } from "../../domain/data-plane.js";
import type { Claim, Topology } from "./topology.js";

/** IP addresses by the name of the device that carries them, of devices that are up. */
export type DeviceAddresses = ReadonlyMap<string, readonly string[]>;

/** A list of a thousand interfaces asks a thousand times; the kernel is asked once. */
const KNOWN_FOR_MS = 1000;

export interface HostReachOptions {
  /** Where the switch's database is: `unix:…` when the switch is on the daemon's own host. */
  readonly ovsdb: string;
  readonly read?: () => DeviceAddresses;
  /** Devices of the host that are made of a device, such as a bridge that it is a port of. */
  readonly above?: (device: string) => readonly string[];
  /** Milliseconds of any monotonic clock. */
  readonly now?: () => number;
}

/**
 * Tells which ports are seen to be open to the host. A device that carries an address takes part in
 * the host's own network, so what is plugged in by it may reach the host without passing the switch.
 * That none is seen does not mean that it is closed: ovs/check-port.sh looks further.
 */
export class HostReach {
  readonly #read: () => DeviceAddresses;
  readonly #above: (device: string) => readonly string[];
  readonly #now: () => number;
  #known: DeviceAddresses = new Map();
  #until = Number.NEGATIVE_INFINITY;

  constructor(options: HostReachOptions) {
    const { ovsdb, read = readAddresses, above = readAbove, now } = options;
    // Devices of another host may well have the names of ours.
    const isHere = ovsdb.startsWith("unix:");
    this.#read = isHere ? read : () => new Map();
    this.#above = isHere ? above : () => [];
    this.#now = now ?? (() => performance.now());
  }

  /** @param home the VPC that the interface belongs to: nothing is told of other VPCs' ports */
  warnings(
    topology: Topology,
    networkInterfaceId: string,
    home: string | undefined,
  ): readonly PortWarning[] {
    const claims = topology.claims.get(networkInterfaceId) ?? [];
    return claims.filter(({ vpcId }) => vpcId === home).flatMap((claim) => this.#warn(claim));
  }

  #warn({ port, bridge }: Claim): PortWarning[] {
    const addresses = this.#addresses().get(port) ?? [];
    const above = this.#above(port);
    const seen = [
      ...(addresses.length > 0
        ? [`carries ${addresses.join(", ")} in the host's own network`]
        : []),
      ...(above.length > 0 ? [`is part of the host's device ${above.join(", ")}`] : []),
    ];
    if (seen.length === 0) return [];
    const message = `device ${port}, port of bridge ${bridge}, ${seen.join(" and ")}: the workload may reach the host there. Run ovs/close-port.sh ${port} on the host, and stop what does that to it`;
    return [{ code: "hostReachable", message }];
  }

  #addresses(): DeviceAddresses {
    const now = this.#now();
    if (now >= this.#until) {
      this.#known = this.#read();
      this.#until = now + KNOWN_FOR_MS;
    }
    return this.#known;
  }
}

/** With the kernel datapath each port is below Open vSwitch's own device. */
const SWITCHES_OWN = "ovs-system";
const ABOVE = "upper_";

function readAbove(device: string): string[] {
  let entries: string[];
  try {
    entries = readdirSync(`/sys/class/net/${device}`);
  } catch (error) {
    // It has no device here, as one of a patch or of another namespace: nothing is to be seen of it.
    if (error instanceof Error && "code" in error) return [];
    throw error;
  }
  const above = entries.filter((entry) => entry.startsWith(ABOVE));
  return above.map((entry) => entry.slice(ABOVE.length)).filter((name) => name !== SWITCHES_OWN);
}

function readAddresses(): DeviceAddresses {
  const byDevice = new Map<string, string[]>();
  for (const [label, entries = []] of Object.entries(networkInterfaces())) {
    // An IPv4 address may be listed by its label, "DEVICE:ANYTHING".
    const [device = label] = label.split(":");
    const addresses = entries.map(({ address }) => address);
    byDevice.set(device, [...(byDevice.get(device) ?? []), ...addresses]);
  }
  return byDevice;
}
