import pLimit from "p-limit";
import {
  type CountedDrop,
  DROP_MEANINGS,
  type DropReason,
  type DropSurvey,
  type InterfaceDrops,
} from "../../domain/drops.js";
import { ownsCookie } from "../../openflow/cookie.js";
import type { CountedFlow } from "../../openflow/statistics.js";
import { countedDrop } from "../../pipeline/drops.js";
import { REGISTERS, registerMatch } from "../../pipeline/registers.js";
import { VPC_TABLES } from "../../pipeline/tables.js";
import { BackendError } from "../backend.js";
import type { BackendLog } from "./backend-log.js";
import type { InterfaceHomes } from "./interface-homes.js";
import { BRIDGES_AT_ONCE, isHopeless, troubleWith } from "./observe.js";
import type { Ofctl } from "./ofctl.js";
import type { SwitchWatch } from "./switch-watch.js";
import type { Topology } from "./topology.js";

/** Whoever asks waits no longer than this, whatever the switch does. */
const LIMIT_MS = 4000;

/** For all bridges: below the 10 seconds after which Prometheus gives up by default. */
const SURVEY_LIMIT_MS = 8000;

const TABLE = VPC_TABLES.drops.number;

export interface DropCountersParts {
  readonly watch: Pick<SwitchWatch, "connections" | "topology">;
  readonly ofctl: Pick<Ofctl, "readCounters">;
  readonly homes: InterfaceHomes;
  readonly mark: number;
  readonly log: BackendLog;
  /** Instead of both limits; for tests. */
  readonly limitMs?: number;
}

/**
 * Reads what the drops tables have counted. Changes nothing, believes nothing, and asks the switch
 * beside whatever else is asked of it.
 */
export class DropCounters {
  readonly #parts: DropCountersParts;
  readonly #owns: (cookie: bigint) => boolean;
  readonly #limit = pLimit(BRIDGES_AT_ONCE);
  /** One reading for all who ask for the same interface at the same time. */
  readonly #underWay = new Map<string, Promise<InterfaceDrops | null>>();
  #wasComplete = true;

  constructor(parts: DropCountersParts) {
    this.#parts = parts;
    this.#owns = ownsCookie(parts.mark);
  }

  /** @throws BackendError when the switch cannot be read */
  of(networkInterfaceId: string): Promise<InterfaceDrops | null> {
    const reading = this.#underWay.get(networkInterfaceId) ?? this.#begin(networkInterfaceId);
    return within(this.#parts.limitMs ?? LIMIT_MS, reading);
  }

  #begin(networkInterfaceId: string): Promise<InterfaceDrops | null> {
    const reading = this.#limit(() => this.#read(networkInterfaceId)).finally(() =>
      this.#underWay.delete(networkInterfaceId),
    );
    this.#underWay.set(networkInterfaceId, reading);
    return reading;
  }

  async #read(networkInterfaceId: string): Promise<InterfaceDrops | null> {
    const { watch, ofctl, homes } = this.#parts;
    await watch.connections();
    const home = homes.withId(networkInterfaceId);
    if (home === undefined) return null;
    const claim = watch.topology.soleClaim(home.id, home.vpcId);
    if (claim === undefined) return null;
    const match = registerMatch(REGISTERS.interface, home.number);
    try {
      const flows = await ofctl.readCounters(claim.bridge, TABLE, { match });
      return interfaceDrops(flows.filter(({ flow }) => this.#owns(flow.cookie)));
    } catch (error) {
      throw new BackendError(troubleWith(claim.bridge, error), { cause: error });
    }
  }

  /** Reads the bridges that something is plugged into, as many as there is time for. */
  async survey(): Promise<DropSurvey> {
    const limit = pLimit(BRIDGES_AT_ONCE);
    const drops: CountedDrop[] = [];
    const troubles: unknown[] = [];
    const readBridge = (bridge: string) =>
      limit(async () => {
        try {
          for (const drop of await this.#readBridge(bridge)) drops.push(drop);
        } catch (error) {
          if (isHopeless(error)) throw error;
          troubles.push(troubleWith(bridge, error));
        }
      });
    const readAll = async () => {
      await this.#parts.watch.connections();
      await Promise.all(pluggedBridges(this.#parts.watch.topology).map(readBridge));
    };
    const limitMs = this.#parts.limitMs ?? SURVEY_LIMIT_MS;
    await within(limitMs, readAll()).catch((error) => troubles.push(error));
    limit.clearQueue();
    this.#note(troubles);
    return { drops: [...drops], complete: troubles.length === 0 };
  }

  async #readBridge(bridge: string): Promise<CountedDrop[]> {
    const { watch, ofctl } = this.#parts;
    try {
      const flows = await ofctl.readCounters(bridge, TABLE, { nonZero: true });
      return flows.flatMap((counted) => this.#name(counted) ?? []);
    } catch (error) {
      if (!watch.topology.bridges.has(bridge)) return [];
      throw error;
    }
  }

  #name({ flow, packets, bytes }: CountedFlow): CountedDrop | undefined {
    const drop = this.#owns(flow.cookie) ? countedDrop(flow) : undefined;
    const home = drop && this.#parts.homes.withNumber(drop.interface);
    if (drop === undefined || home === undefined) return undefined;
    const { id: networkInterfaceId, vpcId } = home;
    return { networkInterfaceId, vpcId, reason: drop.reason, packets, bytes };
  }

  /** Said once, and not at every scrape. */
  #note(troubles: readonly unknown[]): void {
    const isComplete = troubles.length === 0;
    if (this.#wasComplete && !isComplete) {
      const { log } = this.#parts;
      log.warn({ err: troubles[0], count: troubles.length }, "not every drop counter can be read");
    }
    this.#wasComplete = isComplete;
  }
}

/** Null unless every reason is counted: while flows are missing they are being put back. */
function interfaceDrops(flows: readonly CountedFlow[]): InterfaceDrops | null {
  const reasons = Object.keys(DROP_MEANINGS) as DropReason[];
  const counters = new Map(flows.map((counted) => [countedDrop(counted.flow)?.reason, counted]));
  const counts = reasons.flatMap((reason) => {
    const counter = counters.get(reason);
    if (counter === undefined) return [];
    return [[reason, { packets: counter.packets, bytes: counter.bytes }] as const];
  });
  if (counts.length < reasons.length) return null;
  return {
    seconds: Math.min(...flows.map(({ seconds }) => seconds)),
    counts: Object.fromEntries(counts) as InterfaceDrops["counts"],
  };
}

/** Where nothing is plugged in nothing is counted. */
function pluggedBridges(topology: Topology): string[] {
  const claims = [...topology.claims.values()].flat();
  return [...new Set(claims.map(({ bridge }) => bridge))];
}

/** @throws BackendError when the work takes longer; it goes on, but nobody waits for it */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    const message = `the switch did not tell its counters within ${limitMs / 1000} s`;
    timer = setTimeout(() => reject(new BackendError(message)), limitMs);
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
