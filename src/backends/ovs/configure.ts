import { BackendError } from "../backend.js";
import { requestOperations } from "./infrastructure-operations.js";
import type { Operation, Ovsdb } from "./ovsdb.js";

const LIMIT_MS = 5000;
/** ovs-vswitchd takes longer the more bridges it has: each change makes it walk all of them. */
const LIMIT_PER_BRIDGE_MS = 20;

/**
 * Carries out a transaction and waits until ovs-vswitchd has acted on it: then port numbers are
 * assigned and management sockets listen. Without operations it waits for what was asked before.
 * @throws TransactionError, and BackendError when ovs-vswitchd does not act in time
 */
export async function configure(ovsdb: Ovsdb, operations: readonly Operation[]): Promise<void> {
  const results = await ovsdb.transact([...operations, ...requestOperations()]);
  const rows = results.at(-1)?.["rows"];
  const target = Array.isArray(rows) ? Number(rows[0]?.next_cfg) : Number.NaN;
  if (!Number.isSafeInteger(target)) {
    throw new BackendError("the Open vSwitch database is not initialised: run ovs-vsctl init");
  }
  const limit = LIMIT_MS + LIMIT_PER_BRIDGE_MS * (ovsdb.replica.bridges.size + operations.length);
  const done = await ovsdb.until(({ system }) => (system?.curCfg ?? -1) >= target, limit);
  if (!done) {
    throw new BackendError(`ovs-vswitchd did not carry out a change of its bridges in ${limit} ms`);
  }
}
