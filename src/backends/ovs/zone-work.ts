import type { IntentSlice, Scope } from "../../domain/intent.js";
import { messageOf } from "./message-of.js";
import { type Operation, TransactionError } from "./ovsdb.js";
import type { PlannerParts } from "./planner.js";
import type { Connections } from "./switch-watch.js";
import { grantOperations, sidesWithoutZone, type ZoneGrant, zonesInFlows } from "./zones.js";

export interface ZoneWorkOptions {
  readonly intent: IntentSlice;
  readonly parts: PlannerParts;
  readonly connections: Connections;
  /** Writes to the database; changes to VPCs of the scope raise no doubt meanwhile. */
  configure(operations: readonly Operation[], scope: Scope): Promise<void>;
  fail(vpcId: string, reason: string): void;
}

/** Conntrack zones in one plan: who lacks some gets them, and those that nobody uses are given back. */
export class ZoneWork {
  readonly #options: ZoneWorkOptions;
  #timeoutsError: string | undefined;

  constructor(options: ZoneWorkOptions) {
    this.#options = options;
  }

  /** Why zones do not have the time-outs that they should. Packets pass all the same. */
  get timeoutsError(): string | undefined {
    return this.#timeoutsError;
  }

  /**
   * Interfaces that lack a zone have no flows: so they get theirs before these are compared.
   * @returns whether any did
   */
  async grant(): Promise<boolean> {
    const { intent, parts, connections, fail } = this.#options;
    const { watch, belief, conntrack } = parts;
    const served = new Set<string>();
    const waiting = new Set<string>();
    try {
      await conntrack.renewLimits(connections.unixctl, watch.topology, belief.epoch);
      // What is plugged in while zones are written down raises no doubt: so it is looked for.
      while (await this.#grantOnce(served, waiting));
      await this.#renewTimeouts();
    } catch (error) {
      const concerned = waiting.size > 0 ? waiting : intent.vpcs.keys();
      for (const id of concerned) fail(id, `conntrack zones: ${messageOf(error)}`);
    }
    return served.size > 0;
  }

  /** Of interfaces that were unplugged; what fails now is tried again by the next pass. */
  async retire(): Promise<void> {
    const { watch, belief, conntrack, log } = this.#options.parts;
    const abandoned = conntrack.abandoned(watch.topology.zones);
    if (abandoned.length === 0 || this.#someBridgeIsUnknown()) return;
    const named = new Set(zonesInFlows(belief));
    const free = abandoned.filter((zone) => !named.has(zone)).slice(0, RETIRED_AT_ONCE);
    const isTaken = (zone: number) => watch.topology.zones.has(zone);
    try {
      await conntrack.retire(this.#options.connections.unixctl, free, isTaken);
    } catch (error) {
      log.warn({ err: error }, "conntrack zones that nobody uses are not empty");
    }
  }

  /**
   * @param waiting is told whom alone it concerns if this fails; nobody: it concerns all
   * @returns whether anybody got a zone who had not been given one in this pass
   */
  async #grantOnce(served: Set<string>, waiting: Set<string>): Promise<boolean> {
    const { intent, parts, connections } = this.#options;
    const { watch, belief, conntrack, zones, timeouts } = parts;
    for (const { vpcId } of sidesWithoutZone(intent, watch.topology)) waiting.add(vpcId);
    const others = timeouts.zonesOfOthers(watch.replica);
    const grants = zones.grants(intent, watch.topology, belief, others);
    if (grants.every(({ networkInterfaceId }) => served.has(networkInterfaceId))) return false;
    await conntrack.prepare(
      connections.unixctl,
      grants.map(({ zone }) => zone),
    );
    // From here on others' changes may go unheard: if this fails, all are to be looked at again.
    waiting.clear();
    await this.#writeGrants(grants);
    for (const { networkInterfaceId } of grants) served.add(networkInterfaceId);
    return true;
  }

  /** Time-outs are set along with them: another write would take another walk over all bridges. */
  async #writeGrants(grants: readonly ZoneGrant[]): Promise<void> {
    const { intent, parts, configure } = this.#options;
    const { watch, timeouts } = parts;
    const zones = [...watch.topology.ownZones(), ...grants.map(({ zone }) => zone)];
    const besides = timeouts.operations(watch.replica, zones);
    try {
      await configure([...grantOperations(grants), ...besides], intent.scope);
    } catch (error) {
      if (!(error instanceof TransactionError) || besides.length === 0) throw error;
      this.#noteNoTimeouts(error);
      await configure(grantOperations(grants), intent.scope);
    }
  }

  /** Of zones that were there before. */
  async #renewTimeouts(): Promise<void> {
    const { intent, parts, configure } = this.#options;
    const { watch, timeouts } = parts;
    const operations = timeouts.operations(watch.replica, watch.topology.ownZones());
    if (operations.length === 0) return;
    try {
      await configure(operations, intent.scope);
    } catch (error) {
      this.#noteNoTimeouts(error);
    }
  }

  #noteNoTimeouts(error: unknown): void {
    this.#options.parts.log.warn({ err: error }, NO_TIMEOUTS);
    this.#timeoutsError = `${NO_TIMEOUTS}: ${messageOf(error)}`;
  }

  /** What is not known to be on a bridge may name any zone. */
  #someBridgeIsUnknown(): boolean {
    const { watch, belief } = this.#options.parts;
    const own = [...watch.topology.bridges.values()].filter((view) => view.own);
    return own.some(({ row }) => belief.of(row.name) === undefined);
  }
}

/** Each takes a walk over all connections of the host, and the caller who is cut is waiting. */
const RETIRED_AT_ONCE = 16;

const NO_TIMEOUTS = "connections keep the switch's own time-outs for now";
