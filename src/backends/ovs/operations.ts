import type { Operation } from "./ovsdb.js";
import { toUuid, type Uuid } from "./rows.js";

export function mutate(
  table: string,
  where: readonly unknown[],
  ...mutations: readonly (readonly unknown[])[]
): Operation {
  return { op: "mutate", table, where, mutations };
}

export function update(
  table: string,
  uuid: Uuid,
  row: Readonly<Record<string, unknown>>,
): Operation {
  return { op: "update", table, where: byUuid(uuid), row };
}

export function byUuid(uuid: Uuid): readonly unknown[] {
  return [["_uuid", "==", toUuid(uuid)]];
}
