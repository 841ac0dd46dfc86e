import { now, pace } from "../time.js";
import type { World } from "../world.js";
import { type Fault, RECOVERY_MS } from "./fault.js";

const REVIVE_LIMIT_MS = 90_000;
const RETRY_MS = 300;

/** Starts the daemon until it is ready, as a service manager would. */
export async function revive({ daemon }: World): Promise<void> {
  const deadline = now() + REVIVE_LIMIT_MS;
  for (;;) {
    try {
      return await daemon.restart();
    } catch (error) {
      if (now() > deadline) throw error;
      await pace(RETRY_MS);
    }
  }
}

export const daemonFaults: readonly Fault[] = [
  {
    kind: "kill -9 the daemon",
    holds: [0, 1500],
    recoveryLimitMs: RECOVERY_MS,
    dependsOnDatabase: true,
    alone: true,
    strike: async ({ world }) => {
      await world.daemon.kill();
      return () => revive(world);
    },
  },
  {
    // What the old daemon has sent off reaches the switch when the new one has begun.
    kind: "kill -9 the daemon amid a bundle",
    holds: [500, 1500],
    recoveryLimitMs: RECOVERY_MS,
    alone: true,
    strike: async ({ world, random }) => {
      const pid = await world.sandbox.vswitchdPid();
      process.kill(pid, "SIGSTOP");
      await pace(random.between(300, 1200));
      await world.daemon.kill();
      const back = revive(world);
      return async () => {
        process.kill(pid, "SIGCONT");
        await back;
      };
    },
  },
];
