/** As a bridge's `datapath_type` names it: Open vSwitch's userspace datapath, or the kernel's. */
export type Datapath = "netdev" | "system";

/** What a datapath is like where tests can tell one from the other. */
export interface DatapathTraits {
  /** As `dpctl` commands name it. */
  readonly dpctlName: string;
  /** Whether the host's own network stack sees each frame of a port as well. */
  readonly handsFramesToHost: boolean;
  /** Whether frames must have their checksums when they come in: a veth leaves them out otherwise. */
  readonly needsChecksumsOfWorkloads: boolean;
}

export const TRAITS = {
  netdev: {
    dpctlName: "netdev@ovs-netdev",
    handsFramesToHost: true,
    needsChecksumsOfWorkloads: true,
  },
  system: {
    dpctlName: "system@ovs-system",
    handsFramesToHost: false,
    needsChecksumsOfWorkloads: false,
  },
} as const satisfies Record<Datapath, DatapathTraits>;

export function isDatapath(text: string | undefined): text is Datapath {
  return text !== undefined && Object.hasOwn(TRAITS, text);
}
