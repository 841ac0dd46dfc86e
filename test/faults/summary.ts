import type { Calls } from "./caller.js";
import type { DatabaseKind } from "./world.js";

export interface KindSummary {
  count: number;
  /** Milliseconds to the first probe after the fault, for each direction that should talk. */
  readonly recovery: number[];
}

/** What a run has done and seen. */
export interface Summary {
  readonly database: DatabaseKind;
  readonly command: string;
  minutes: number;
  readonly kinds: Record<string, KindSummary>;
  probesSent: number;
  probesArrived: number;
  calls: Calls;
  writesVerified: number;
  peeringsEnded: number;
  /** Milliseconds from asking for a deletion to `deleted`, faults included. */
  cuts: number[];
  /** All of them; `leaks` tells of the first ones. */
  probesLeaked: number;
  readonly leaks: string[];
  readonly lostWrites: string[];
  /** What is stored though no call that made it was acknowledged. */
  readonly strayWrites: string[];
  readonly lateRecoveries: string[];
  readonly differences: string[];
  readonly orphans: string[];
}

/** What a run finds when every promise was kept. */
export const NOTHING_FOUND = {
  leaks: [],
  lostWrites: [],
  strayWrites: [],
  lateRecoveries: [],
  differences: [],
  orphans: [],
};

export function newSummary(database: DatabaseKind, command: string): Summary {
  return {
    database,
    command,
    minutes: 0,
    kinds: {},
    probesSent: 0,
    probesArrived: 0,
    calls: { acknowledged: 0, refused: 0, unanswered: 0, internalErrors: 0 },
    writesVerified: 0,
    peeringsEnded: 0,
    cuts: [],
    probesLeaked: 0,
    ...structuredClone(NOTHING_FOUND),
  };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
