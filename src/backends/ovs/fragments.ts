const FIRST_SAFE = [3, 6] as const;

/**
 * Whether fragments have to be dropped on entry. The connection tracker of the userspace datapath
 * holds fragments back and, before Open vSwitch 3.6, may send them on with a packet of another VPC.
 * @param version of ovs-vswitchd, such as "3.1.0"; undefined when it is not known
 */
export function dropsFragments(
  datapath: "system" | "netdev",
  version: string | undefined,
): boolean {
  if (datapath === "system") return false;
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  return major < FIRST_SAFE[0] || (major === FIRST_SAFE[0] && minor < FIRST_SAFE[1]);
}
