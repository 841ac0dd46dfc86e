import type { IntentSlice } from "../../domain/intent.js";
import { zoneOfReceiver } from "../../pipeline/zone-of-flow.js";
import type { Belief } from "./belief.js";
import { FIRST_ZONE, LAST_ZONE, zoneText } from "./ct-zone.js";
import { CT_ZONE } from "./external-ids.js";
import type { Operation } from "./ovsdb.js";
import { toMap, toSet, toUuid, type Uuid } from "./rows.js";
import type { Claim, Topology } from "./topology.js";

/** A zone for an interface that is plugged in and has none. */
export interface ZoneGrant {
  readonly networkInterfaceId: string;
  readonly vpcId: string;
  /** The row of the OVS interface that it is plugged into, where its zone is kept. */
  readonly row: Uuid;
  readonly zone: number;
}

/** Interfaces of the slice that are plugged in and work, but have no zone. */
export function interfacesWithoutZone(
  { vpcs }: IntentSlice,
  topology: Topology,
): { networkInterfaceId: string; vpcId: string; claim: Claim }[] {
  return [...vpcs.values()].flatMap((vpc) =>
    vpc.interfaces.flatMap(({ id }) => {
      const claim = topology.soleClaim(id, vpc.id);
      if (claim === undefined || claim.zone !== undefined) return [];
      return [{ networkInterfaceId: id, vpcId: vpc.id, claim }];
    }),
  );
}

/**
 * Hands out zones, which are 16 bits for the whole host. A zone that was given back is used again as
 * late as possible: only when the numbers have come round.
 */
export class ZoneAllocator {
  #last = 0;

  /**
   * A zone for each interface of the slice that needs one.
   * @throws RangeError when no zone is left
   */
  grants(slice: IntentSlice, topology: Topology, belief: Belief): ZoneGrant[] {
    const waiting = interfacesWithoutZone(slice, topology);
    if (waiting.length === 0) return [];
    const taken = new Set([...topology.zones, ...zonesInFlows(belief)]);
    return waiting.map(({ networkInterfaceId, vpcId, claim }) => {
      const zone = this.#next(taken);
      taken.add(zone);
      return { networkInterfaceId, vpcId, row: claim.row, zone };
    });
  }

  #next(taken: ReadonlySet<number>): number {
    if (this.#last === 0) this.#last = highest(taken);
    for (let step = 1; step <= LAST_ZONE; step += 1) {
      const zone = ((this.#last - FIRST_ZONE + step) % LAST_ZONE) + FIRST_ZONE;
      if (taken.has(zone)) continue;
      this.#last = zone;
      return zone;
    }
    throw new RangeError(`all ${LAST_ZONE} conntrack zones of this host are in use`);
  }
}

function highest(zones: ReadonlySet<number>): number {
  let most = 0;
  for (const zone of zones) most = Math.max(most, zone);
  return most;
}

/** Flows may still name the zone of an interface that has just been unplugged. */
export function zonesInFlows(belief: Belief): number[] {
  return [...belief.bridges()].flatMap((flows) =>
    [...flows.all()].flatMap((flow) => zoneOfReceiver(flow) ?? []),
  );
}

/** Writes zones down where they outlive the daemon, for one transaction. */
export function grantOperations(grants: readonly ZoneGrant[]): Operation[] {
  return grants.map(({ networkInterfaceId, row, zone }) => ({
    op: "mutate",
    table: "Interface",
    where: [["_uuid", "==", toUuid(row)]],
    mutations: [
      ["external_ids", "delete", toSet([CT_ZONE])],
      ["external_ids", "insert", toMap([[CT_ZONE, zoneText(networkInterfaceId, zone)]])],
    ],
  }));
}
