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
