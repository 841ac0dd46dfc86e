import { overlap } from "./blocks.js";
import { blocksOf, type Snapshot, type StoredVpc } from "./snapshot.js";

/**
 * No two routes that came by themselves contend for packets. What was withheld from a table, a main
 * one, leads to a block of a peer, and neither came after all nor has outlived the peering.
 */
export function contestProblems(
  { tables, peerings }: Snapshot,
  vpcs: ReadonlyMap<string, StoredVpc>,
): string[] {
  const byId = new Map(peerings.map((peering) => [peering.id, peering]));
  return tables.flatMap(({ id, vpcId, main, routes, withheld }) => {
    const automatic = routes.filter(({ origin }) => origin === "peering");
    const contending = automatic.filter((route) =>
      automatic.some(
        (other) =>
          other.vpcPeeringId !== route.vpcPeeringId &&
          overlap(other.destination, route.destination),
      ),
    );
    const problems = contending.map(({ destination }) => `${destination} in ${id} is contested`);
    for (const { destination, vpcPeeringId } of withheld) {
      const what = `${destination} to ${vpcPeeringId}, withheld from ${id},`;
      const peering = byId.get(vpcPeeringId);
      const ends = [peering?.requesterVpcId, peering?.accepterVpcId];
      const peer = vpcs.get(ends.find((end) => end !== vpcId) ?? "");
      const isLed = automatic.some(
        (route) => route.destination === destination && route.vpcPeeringId === vpcPeeringId,
      );
      if (!main) problems.push(`${what} in a table that is not the main one`);
      if (isLed) problems.push(`${what} came after all`);
      if (!["provisioning", "active"].includes(peering?.state ?? "")) {
        problems.push(`${what} has outlived its peering`);
      }
      if (!blocksOf(peer).includes(destination))
        problems.push(`${what} is to no block of the peer`);
    }
    return problems;
  });
}
