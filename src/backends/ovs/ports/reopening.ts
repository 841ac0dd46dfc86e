import type { Operation, Ovsdb, Selection } from "../ovsdb.js";
import { toSet, toUuid, type Uuid } from "../rows.js";
import type { Claim, Topology } from "../topology.js";

/** OpenFlow reserves what is above (OFPP_MAX). */
const HIGHEST_PORT = 0xfeff;

/** A port to be opened again. */
export interface Reopening {
  readonly row: Uuid;
  /** The number that it is to have, which makes ovs-vswitchd open it again. */
  readonly ofport: number;
  /** What its owner has asked for, to be asked for again afterwards; undefined: nothing. */
  readonly requested: number | undefined;
}

/**
 * What makes ovs-vswitchd open ports again: nothing but a request for another number does, short of
 * deleting the row, of which others may have set any column.
 * @throws TransactionError, Error when the database is lost
 */
export async function reopenings(
  claims: readonly Claim[],
  topology: Topology,
  ovsdb: Ovsdb,
): Promise<Reopening[]> {
  const select = (row: Uuid): Selection => {
    return { op: "select", table: "Interface", where: byUuid(row), columns: ["ofport_request"] };
  };
  const results = await ovsdb.read(claims.map(({ row }) => select(row)));
  const taken = new Map<string, Set<number>>();
  return claims.map(({ row, bridge }, index) => {
    const numbers = taken.get(bridge) ?? numbersOn(topology, bridge);
    taken.set(bridge, numbers);
    const ofport = unusedNumber(numbers);
    numbers.add(ofport);
    const rows = results[index]?.["rows"];
    const requested: unknown = Array.isArray(rows) ? rows[0]?.ofport_request : undefined;
    return { row, ofport, requested: typeof requested === "number" ? requested : undefined };
  });
}

export function reopenOperations(ports: readonly Reopening[]): Operation[] {
  return ports.map(({ row, ofport }) => request(row, ofport));
}

export function restoreOperations(ports: readonly Reopening[]): Operation[] {
  return ports.map(({ row, requested }) => request(row, requested ?? toSet([])));
}

/** Above all others, where the switch itself, which counts upwards, has not been yet. */
function unusedNumber(taken: ReadonlySet<number>): number {
  let number = Math.max(0, ...taken) + 1;
  if (number > HIGHEST_PORT) for (number = 1; taken.has(number); ) number += 1;
  return number;
}

function numbersOn({ bridges }: Topology, bridge: string): Set<number> {
  const interfaces = bridges.get(bridge)?.ports.flatMap((port) => port.interfaces) ?? [];
  const numbers = interfaces.flatMap(({ ofport }) => ofport ?? []);
  return new Set(numbers.filter((number) => number <= HIGHEST_PORT));
}

function request(row: Uuid, ofport: unknown): Operation {
  const change = { ofport_request: ofport };
  return { op: "update", table: "Interface", where: byUuid(row), row: change };
}

function byUuid(uuid: Uuid): readonly unknown[] {
  return [["_uuid", "==", toUuid(uuid)]];
}
