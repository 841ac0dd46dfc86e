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
  readonly #now: () => number;
  #known: DeviceAddresses = new Map();
  #until = Number.NEGATIVE_INFINITY;

  constructor({ ovsdb, read = readAddresses, now = () => performance.now() }: HostReachOptions) {
    // Devices of another host may well have the names of ours.
    this.#read = ovsdb.startsWith("unix:") ? read : () => new Map();
    this.#now = now;
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
    const addresses = this.#addresses().get(port);
    if (addresses === undefined) return [];
    const message = `device ${port}, port of bridge ${bridge}, carries ${addresses.join(", ")} in the host's own network: the workload may reach the host there. Run ovs/close-port.sh ${port} on the host, and stop what gives it addresses`;
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
