import type { OfctlMode } from "../surroundings.js";
import { type Fault, RECOVERY_MS } from "./fault.js";

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
/** Past the week after which requests expire, and the day for which idempotency keys are kept. */
const STEPS_MS = [HOUR_MS, -HOUR_MS, 30 * HOUR_MS, 8 * 24 * HOUR_MS];

/** What time alone makes of peerings: nothing of those that are live. */
const IN_TIME = {
  "pending-acceptance": ["expired", "absent"],
  failed: ["absent"],
  rejected: ["absent"],
  expired: ["absent"],
  deleted: ["absent"],
};

function ofctlFault(mode: OfctlMode, holds: readonly [number, number]): Fault {
  return {
    kind: `ovs-ofctl ${mode}`,
    holds,
    // The next attempt may have been put off, at most until the next comparison.
    recoveryLimitMs: 2 * RECOVERY_MS,
    strike: async ({ world: { surroundings } }) => {
      await surroundings.setOfctl(mode);
      return () => surroundings.setOfctl("works");
    },
  };
}

export const surroundingsFaults: readonly Fault[] = [
  ofctlFault("is slow", [1000, 4000]),
  ofctlFault("fails", [500, 4000]),
  // Longer than the daemon waits for a program, now and then.
  ofctlFault("hangs", [1000, 13_000]),
  {
    kind: "fill the disk of the data directory",
    holds: [500, 3000],
    recoveryLimitMs: RECOVERY_MS,
    dependsOnDatabase: true,
    strike: async ({ world: { surroundings }, random }) => {
      await surroundings.fillDisk(random.pick([0, 8 * MIB, 60 * MIB]));
      return () => surroundings.freeDisk();
    },
  },
  {
    kind: "step the clock",
    holds: [2500, 5000],
    recoveryLimitMs: RECOVERY_MS,
    // Idempotency keys are kept for a day: a call that was cut off could not be repeated after it.
    alone: true,
    strike: async ({ world: { surroundings }, scene: { ledger }, random }) => {
      await surroundings.setClock(random.pick(STEPS_MS));
      return async () => {
        await surroundings.setClock(0);
        ledger.widen("/vpc-peerings/", IN_TIME);
      };
    },
  },
];
