/** As a bridge's `datapath_type` names it: Open vSwitch's userspace datapath, or the kernel's. */
export type Datapath = "netdev" | "system";

/** What a datapath is like where tests can tell one from the other. */
export interface DatapathTraits {
  /** As `dpctl` commands name it. */
  readonly dpctlName: string;
  /** Whether the host's own network stack sees each frame of a port as well. */
  readonly handsFramesToHost: boolean;
  /** Whether the switch reads a port from a packet socket, as a program that captures does. */
  readonly readsPortsFromSockets: boolean;
  /** Whether frames must have their checksums when they come in: a veth leaves them out otherwise. */
  readonly needsChecksumsOfWorkloads: boolean;
  /** Whether a port keeps its number when its device goes: the kernel's lets it go, too. */
  readonly keepsPortsOfGoneDevices: boolean;
  /** Whether an internal port may get another name in the namespace that it is moved to. */
  readonly keepsRenamedInternalPorts: boolean;
  /** Whether what has passed lately goes on passing without ovs-vswitchd, and while that waits. */
  readonly forwardsWithoutSwitch: boolean;
  /** Whether connections end with ovs-vswitchd: the kernel's are remembered without it. */
  readonly forgetsConnectionsAtRestart: boolean;
  /** Whether fragments pass, put together; Open vSwitch before 3.6 cannot do so in userspace safely. */
  readonly joinsFragments: boolean;
  /** Whether the switch still sees, and counts, a connection that its zone has no room for. */
  readonly countsRefusedConnections: boolean;
  /** Whether all of a network namespace share it, so that it has room for one ovs-vswitchd. */
  readonly isOneInNamespace: boolean;
}

export const TRAITS: Readonly<Record<Datapath, DatapathTraits>> = {
  netdev: {
    dpctlName: "netdev@ovs-netdev",
    handsFramesToHost: true,
    readsPortsFromSockets: true,
    needsChecksumsOfWorkloads: true,
    keepsPortsOfGoneDevices: true,
    keepsRenamedInternalPorts: true,
    forwardsWithoutSwitch: false,
    forgetsConnectionsAtRestart: true,
    joinsFragments: false,
    countsRefusedConnections: true,
    isOneInNamespace: false,
  },
  system: {
    dpctlName: "system@ovs-system",
    handsFramesToHost: false,
    readsPortsFromSockets: false,
    needsChecksumsOfWorkloads: false,
    keepsPortsOfGoneDevices: false,
    keepsRenamedInternalPorts: false,
    forwardsWithoutSwitch: true,
    forgetsConnectionsAtRestart: false,
    joinsFragments: true,
    countsRefusedConnections: false,
    isOneInNamespace: true,
  },
};

export function isDatapath(text: string | undefined): text is Datapath {
  return text !== undefined && Object.hasOwn(TRAITS, text);
}

/** What private switches are started with, for what is decided before one is. */
export function chosenDatapath(): Datapath {
  const chosen = process.env["PATCHBAY_SANDBOX_DATAPATH"] || "netdev";
  if (!isDatapath(chosen)) throw new Error(`PATCHBAY_SANDBOX_DATAPATH=${chosen} is no datapath`);
  return chosen;
}
