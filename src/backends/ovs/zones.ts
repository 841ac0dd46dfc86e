import type { IntentSlice } from "../../domain/intent.js";
import { zonesOfFlow } from "../../pipeline/zone-of-flow.js";
import type { Belief } from "./belief.js";
import {
  FIRST_ZONE,
  LAST_ZONE,
  ZONE_KEYS,
  ZONE_SIDES,
  type ZoneSide,
  zoneText,
} from "./ct-zone.js";
import type { Operation } from "./ovsdb.js";
import { toMap, toSet, toUuid, type Uuid } from "./rows.js";
import type { Topology } from "./topology.js";

/** A zone for one side of an interface that is plugged in and has none for it. */
export interface ZoneGrant {
  readonly networkInterfaceId: string;
  readonly vpcId: string;
  /** The row of the OVS interface that it is plugged into, where its zone is kept. */
  readonly row: Uuid;
  readonly side: ZoneSide;
  readonly zone: number;
}

/** Sides without a zone of the slice's interfaces that are plugged in and work. */
export function sidesWithoutZone(
  { vpcs }: IntentSlice,
  topology: Topology,
): Omit<ZoneGrant, "zone">[] {
  return [...vpcs.values()].flatMap((vpc) =>
    vpc.interfaces.flatMap(({ id }) => {
      const claim = topology.soleClaim(id, vpc.id);
      if (claim === undefined) return [];
      const { row, zones } = claim;
      const missing = ZONE_SIDES.filter((side) => zones[side] === undefined);
      return missing.map((side) => ({ networkInterfaceId: id, vpcId: vpc.id, row, side }));
    }),
  );
}

/**
 * Hands out zones, which are 16 bits for the whole host: two an interface, so 32,767 interfaces. A
 * zone that was given back is used again as late as possible: only when the numbers have come round.
 */
export class ZoneAllocator {
  #last = 0;

  /**
   * The zones that interfaces of the slice lack.
   * @param others zones that somebody uses who has not marked an interface with them
   * @throws RangeError when no zone is left
   */
  grants(
    slice: IntentSlice,
    topology: Topology,
    belief: Belief,
    others: readonly number[] = [],
  ): ZoneGrant[] {
    const waiting = sidesWithoutZone(slice, topology);
    if (waiting.length === 0) return [];
    const taken = new Set([...topology.zones, ...zonesInFlows(belief), ...others]);
    return waiting.map((side) => {
      const zone = this.#next(taken);
      taken.add(zone);
      return { ...side, zone };
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
  return [...belief.bridges()].flatMap((flows) => [...flows.all()].flatMap(zonesOfFlow));
}

/** Writes zones down where they outlive the daemon, for one transaction. */
export function grantOperations(grants: readonly ZoneGrant[]): Operation[] {
  return grants.map(({ networkInterfaceId, row, side, zone }) => ({
    op: "mutate",
    table: "Interface",
    where: [["_uuid", "==", toUuid(row)]],
    mutations: [
      ["external_ids", "delete", toSet([ZONE_KEYS[side]])],
      ["external_ids", "insert", toMap([[ZONE_KEYS[side], zoneText(networkInterfaceId, zone)]])],
    ],
  }));
}
