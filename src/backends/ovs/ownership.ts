import { INSTALLATION } from "./external-ids.js";
import type { InterfaceRow, PortRow } from "./rows.js";

type Ids = ReadonlyMap<string, string>;

interface Marked {
  readonly name: string;
  readonly externalIds: Ids;
}

/**
 * What tells whose a bridge is: its external_ids, or, when another tool has cleared these, those of
 * its own port, which was made with the same ones. A bridge that somebody makes anew has neither.
 */
export function bridgeMarks(
  { name, externalIds }: Marked,
  ports: readonly { readonly row: PortRow; readonly ids: Ids }[],
): Ids {
  if (externalIds.has(INSTALLATION)) return externalIds;
  const local = ports.find(({ row }) => row.name === name);
  return local?.ids.has(INSTALLATION) ? local.ids : externalIds;
}

/** A port of ours has one interface, of its own name: whatever was added beside it comes after it. */
export function ownFirst(
  { name }: Pick<PortRow, "name">,
  interfaces: readonly InterfaceRow[],
): readonly InterfaceRow[] {
  if (interfaces.length < 2) return interfaces;
  const isItsOwn = (row: InterfaceRow) => row.name === name;
  return [...interfaces.filter(isItsOwn), ...interfaces.filter((row) => !isItsOwn(row))];
}

/** As for bridges: both rows of a port of ours were made with the same external_ids. */
export function portMarks({ externalIds }: Marked, interfaces: readonly InterfaceRow[]): Ids {
  if (externalIds.has(INSTALLATION)) return externalIds;
  const marked = interfaces.find((row) => row.externalIds.has(INSTALLATION));
  return marked?.externalIds ?? externalIds;
}
