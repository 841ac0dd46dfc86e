/** Zone 0 is everybody's: whoever names no zone uses it. */
export const FIRST_ZONE = 1;
export const LAST_ZONE = 65_535;

/** How a zone stands in `external_ids`: with its owner, who may change while the port stays. */
export function zoneText(networkInterfaceId: string, zone: number): string {
  return `${networkInterfaceId}:${zone}`;
}

/** The zone and whose it is; undefined for anything else. */
export function readZone(text: string | undefined): { owner: string; zone: number } | undefined {
  const [, owner, digits] = /^(.+):([0-9]{1,5})$/.exec(text ?? "") ?? [];
  const zone = Number(digits);
  if (owner === undefined || zone < FIRST_ZONE || zone > LAST_ZONE) return undefined;
  return { owner, zone };
}
