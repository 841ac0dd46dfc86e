import { hostname } from "node:os";
import { mutate } from "../operations.js";
import type { Operation } from "../ovsdb.js";
import { toMap, toSet } from "../rows.js";

/** Who this daemon is, for the operator of another one: no other daemon has the same text. */
export function holderText(dataDir: string, startedAt = new Date()): string {
  const started = startedAt.toISOString();
  return `pid ${process.pid} on ${hostname()}, data directory ${dataDir}, started ${started}`;
}

/** The key in `external_ids` of the table Open_vSwitch. */
export function holderKey(installationId: string): string {
  return `patchbay-holder-${installationId}`;
}

/** ovs-vswitchd does not look at this column: writing it costs no walk over the bridges. */
export function holderOperations(installationId: string, holder: string): Operation[] {
  const key = holderKey(installationId);
  const gone = ["external_ids", "delete", toSet([key])];
  const there = ["external_ids", "insert", toMap([[key, holder]])];
  return [mutate("Open_vSwitch", [], gone, there)];
}
