import type { InterfaceZones } from "../../pipeline/render.js";
import { CT_ZONE_CALLED, CT_ZONE_CALLER } from "./external-ids.js";

/** Which of an interface's two zones: that of the connections it opens, or of those opened to it. */
export type ZoneSide = keyof InterfaceZones;

export const ZONE_SIDES: readonly ZoneSide[] = ["called", "caller"];

/** Where the zone of a side is kept: the key in `external_ids`. */
export const ZONE_KEYS: Readonly<Record<ZoneSide, string>> = {
  called: CT_ZONE_CALLED,
  caller: CT_ZONE_CALLER,
};

/** The zones of an interface that may not have both yet. */
export type ZonesSoFar = { readonly [side in ZoneSide]: number | undefined };

export function hasBoth(zones: ZonesSoFar): zones is InterfaceZones {
  return zones.caller !== undefined && zones.called !== undefined;
}

/** Zone 0 is everybody's: whoever names no zone uses it. */
export const FIRST_ZONE = 1;
export const LAST_ZONE = 65_535;

/** How a zone stands in `external_ids`: with its owner, who may change while the port stays. */
export function zoneText(networkInterfaceId: string, zone: number): string {
  return `${networkInterfaceId}:${zone}`;
}

/** The zone and whose it is; undefined for anything else. */
export function readZone(text: string | undefined): { owner: string; zone: number } | undefined {
  const [, owner, digits = ""] = /^(.+):([^:]+)$/.exec(text ?? "") ?? [];
  const zone = parseZone(digits);
  return owner === undefined || zone === undefined ? undefined : { owner, zone };
}

/** Undefined for anything but a zone's number: others write what they like. */
export function parseZone(text: string): number | undefined {
  const zone = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return zone < FIRST_ZONE || zone > LAST_ZONE ? undefined : zone;
}
