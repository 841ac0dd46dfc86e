import type { IntentSlice, VpcIntent } from "../../../domain/intent.js";
import type { SwitchNames } from "../../names.js";
import type { FlowWatch } from "../flow-watch/flow-watch.js";
import { messageOf } from "../message-of.js";
import type { Ofctl } from "../ofctl.js";
import type { Operation, Ovsdb } from "../ovsdb.js";
import type { SwitchWatch } from "../switch-watch.js";
import { type Claim, usablePort } from "../topology.js";
import type { PortHealth } from "./port-health.js";
import { stops } from "./port-table.js";
import { reopenings, reopenOperations, restoreOperations } from "./reopening.js";

export interface PortRepairParts {
  readonly watch: Pick<SwitchWatch, "topology">;
  readonly names: SwitchNames;
  readonly ofctl: Pick<Ofctl, "freePort">;
  readonly flowWatch: Pick<FlowWatch, "portSettings" | "portFreed">;
  readonly health: Pick<PortHealth, "isDue">;
}

export interface PortRepairOutcome {
  /** By VPC: what could not be repaired. */
  readonly troubles: ReadonlyMap<string, string>;
  /** Whether ports may have got other numbers. */
  readonly reopened: boolean;
}

/**
 * Puts right what no column of the database would: patch ports of ours that were set to stop
 * packets, and ports that the switch has open on a device that is gone. How others' ports are set
 * is left to them; it is shown.
 */
export class PortRepairs {
  readonly #parts: PortRepairParts;
  readonly #ovsdb: Ovsdb;
  readonly #change: (operations: readonly Operation[]) => Promise<void>;
  readonly #troubles = new Map<string, string>();

  /** @param change carries out a transaction and waits until the switch has acted on it */
  constructor(
    parts: PortRepairParts,
    ovsdb: Ovsdb,
    change: (operations: readonly Operation[]) => Promise<void>,
  ) {
    this.#parts = parts;
    this.#ovsdb = ovsdb;
    this.#change = change;
  }

  async carryOut({ vpcs }: IntentSlice): Promise<PortRepairOutcome> {
    for (const vpc of vpcs.values()) await this.#freeLinks(vpc);
    const stale = [...vpcs.values()].flatMap((vpc) => this.#staleClaims(vpc));
    const reopened = stale.length > 0 && (await this.#reopen(stale));
    return { troubles: this.#troubles, reopened };
  }

  async #freeLinks({ id, number }: VpcIntent): Promise<void> {
    const { names, watch, flowWatch, ofctl } = this.#parts;
    for (const name of [names.uplink(number), names.downlink(number)]) {
      const found = watch.topology.ports.get(name);
      const port = usablePort(found?.interfaces[0]);
      if (found === undefined || !found.own || port === undefined) continue;
      if (!stops(flowWatch.portSettings(found.bridge, port))) continue;
      try {
        await ofctl.freePort(found.bridge, port);
        flowWatch.portFreed(found.bridge, port);
      } catch (error) {
        this.#troubles.set(id, `patch port ${name} stops packets: ${messageOf(error)}`);
      }
    }
  }

  #staleClaims({ id: vpcId, interfaces }: VpcIntent): Claim[] {
    const { watch, health } = this.#parts;
    return interfaces.flatMap(({ id }) => {
      const claim = watch.topology.soleClaim(id, vpcId);
      return claim !== undefined && health.isDue(claim) ? [claim] : [];
    });
  }

  async #reopen(claims: readonly Claim[]): Promise<boolean> {
    let reopened = false;
    try {
      const ports = await reopenings(claims, this.#parts.watch.topology, this.#ovsdb);
      reopened = true;
      await this.#change(reopenOperations(ports));
      await this.#change(restoreOperations(ports));
    } catch (error) {
      const names = claims.map(({ port }) => port).join(", ");
      for (const { vpcId } of claims) {
        if (vpcId === undefined) continue;
        this.#troubles.set(vpcId, `not opened again: ${names}: ${messageOf(error)}`);
      }
    }
    return reopened;
  }
}
