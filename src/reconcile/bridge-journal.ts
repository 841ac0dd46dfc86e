import type { BridgeDrift, Outcome, PlannedBridge } from "../backends/backend.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import { type BridgeEvent, recordBridgeEvents } from "../store/bridge-events.js";
import { settingText, summaryOf } from "./drift-text.js";
import { type ForeignNews, ForeignThings } from "./foreign-things.js";

/** Flows that an event names; of more only the number. */
const MOST_NAMED = 20;
/** Events that are kept while the database is away. */
const MOST_KEPT = 1000;
const RETRY_MS = 2000;

export interface JournalLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

export interface JournalOptions {
  readonly db: PrismaClient;
  readonly log: JournalLog;
  readonly exchangeName: () => string;
}

/** Tells the operator what others do on our bridges: in the log at once, and on the event stream. */
export class BridgeJournal {
  readonly #options: JournalOptions;
  readonly #foreign = new ForeignThings();
  readonly #settings = new ForeignThings();
  #kept: BridgeEvent[] = [];
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  get foreignFlows(): number {
    return this.#foreign.count;
  }

  noteForeign(diffs: readonly PlannedBridge[]): void {
    const news = this.#foreign.note(diffs, this.#options.exchangeName());
    for (const each of news) this.#tellForeign(each);
    if (news.length > 0) this.#write(news.flatMap((each) => foreignEvents(each, "flows")));
  }

  /** Settings that are not ours to change: told once for each change. */
  noteSettings(diffs: readonly PlannedBridge[]): void {
    const found = diffs.map(({ bridge, vpcId, settings }) => {
      const foreign = settings.filter(({ wanted }) => wanted === null).map(settingText);
      return { bridge, vpcId, foreign };
    });
    const news = this.#settings.note(found, this.#options.exchangeName());
    const { log } = this.#options;
    for (const { bridge, appeared, vanished } of news) {
      const message = "settings that are not ours were changed on our bridge; left alone";
      log.warn({ bridge, appeared, vanished }, message);
    }
    if (news.length > 0) this.#write(news.flatMap((each) => foreignEvents(each, "settings")));
  }

  /** @param outcome undefined when the repair came to nothing; it is tried again */
  noteRepair(
    drift: readonly BridgeDrift[],
    diffs: readonly PlannedBridge[],
    outcome: Outcome | undefined,
  ): void {
    if (drift.length === 0) return;
    const vpcs = new Map(diffs.map(({ bridge, vpcId }) => [bridge, vpcId]));
    this.#write(
      drift.map((each) => {
        const after = isRepaired(vpcs.get(each.bridge) ?? null, outcome) ? "programmed" : "error";
        return { bridge: each.bridge, action: "repair", before: summaryOf(each), after };
      }),
    );
  }

  /** Tries once more to write what could not be written. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    if (this.#kept.length > 0) await this.#writeKept();
    clearTimeout(this.#timer);
  }

  #tellForeign({ bridge, appeared, vanished }: ForeignNews): void {
    const { log } = this.#options;
    if (appeared.length > 0) {
      log.warn({ bridge, flows: appeared }, "flows on our bridge are not ours; left alone");
    }
    if (vanished.length > 0) {
      log.info({ bridge, flows: vanished }, "flows on our bridge that were not ours are gone");
    }
  }

  /** Nobody waits for it: what is done on the switch does not depend on what is told of it. */
  #write(events: readonly BridgeEvent[]): void {
    this.#kept = [...this.#kept, ...events].slice(-MOST_KEPT);
    this.#writing = this.#writing.then(() => this.#writeKept());
  }

  async #writeKept(): Promise<void> {
    const events = this.#kept;
    this.#kept = [];
    if (events.length === 0) return;
    clearTimeout(this.#timer);
    try {
      await recordBridgeEvents(this.#options.db, events);
    } catch (error) {
      this.#options.log.warn({ err: error, events }, "bridge events were not stored yet");
      this.#kept = [...events, ...this.#kept].slice(-MOST_KEPT);
      this.#timer = setTimeout(() => this.#write([]), RETRY_MS);
    }
  }
}

function isRepaired(vpcId: string | null, outcome: Outcome | undefined): boolean {
  if (outcome === undefined) return false;
  return vpcId === null ? outcome.exchangeError === undefined : !outcome.failedVpcs.has(vpcId);
}

function foreignEvents(
  { bridge, appeared, vanished }: ForeignNews,
  what: "flows" | "settings",
): BridgeEvent[] {
  const events: BridgeEvent[] = [];
  if (vanished.length > 0) {
    const before = named(vanished);
    events.push({ bridge, action: `foreign-${what}-vanish`, before, after: null });
  }
  if (appeared.length > 0) {
    const after = named(appeared);
    events.push({ bridge, action: `foreign-${what}-appear`, before: null, after });
  }
  return events;
}

function named(flows: readonly string[]): string {
  const lines = flows.slice(0, MOST_NAMED);
  const more = flows.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}
