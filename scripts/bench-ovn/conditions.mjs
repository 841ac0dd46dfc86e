import { machineFacts, versionOf } from "../lib/machine-facts.mjs";

/** What a reader must know to judge the figures, as measured and not as hoped. */
export function conditionsOf([patchbay, ovn], { mesh, meshBatch }) {
  const datapath = patchbay.place.datapath === "netdev" ? "userspace" : "kernel";
  return [
    `Each side has private daemons and a ${datapath} datapath in a network namespace of its own.`,
    "A bound port a VPC: veths into namespaces where packets are sent, internal ports elsewhere.",
    "Patchbay: request and accept?wait over REST, one tenant, database embedded in the daemon.",
    "OVN: a router and a switch a VPC, peer router ports and a route each way in one transaction," +
      " --wait=hv, asked over the socket of ovn-nbctl's daemon (no process started per command).",
    "OVN's probes are off and its databases stand alone: nothing is lost to reconnecting or Raft.",
    "Patchbay guards against spoofed addresses; OVN's port_security is not set: less work for OVN.",
    statefulness(patchbay.stateful, ovn.stateful),
    "CPU: utime and stime of all processes of a side with their children, in ticks of 10 ms;" +
      " memory: their PSS. The prober, the REST client and iperf3 belong to neither side.",
    ...(mesh > 0 ? [meshWays(meshBatch)] : []),
  ];
}

function meshWays(meshBatch) {
  const size = meshBatch === undefined ? "one transaction" : `transactions of ${meshBatch}`;
  return (
    "Mesh: Patchbay is asked by 16 clients, a request and an accept a peering, until all are" +
    ` active; OVN gets all peerings in ${size}, then one --wait=hv.`
  );
}

function statefulness(ours, theirs) {
  const way = (name, stateful) =>
    `${name} ${stateful ? "judges every packet by conntrack" : "has no conntrack in the path"}`;
  const unlike = ours === theirs ? "" : " (UNLIKE: compare with care)";
  const patchbay = `${way("Patchbay", ours)} (${ours ? "" : "no "}security groups)`;
  return `${patchbay}; ${way("OVN", theirs)} (${theirs ? "" : "no "}allow-related ACLs)${unlike}.`;
}

export async function versionsOf() {
  const [ovn, ovs] = [await versionOf("ovn-northd"), await versionOf("ovs-vswitchd")];
  return { ovn, ovs, ...machineFacts() };
}
