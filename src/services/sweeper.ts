import { writeKeyUses } from "./access-keys.js";
import type { ServiceContext } from "./context.js";
import { removeOldEvents } from "./event-retention.js";
import { forgetIdempotencyKeys } from "./idempotency.js";
import { expireRequests, failDoomedRequests, forgetHiddenPeerings } from "./peering-sweeps.js";
import type { RowGuard } from "./row-guard.js";
import { Setbacks } from "./setbacks.js";

interface Log {
  warn(details: object, message: string): void;
}

interface Sweep {
  readonly name: string;
  readonly everyMs: number;
  run(ctx: ServiceContext, guard: RowGuard): Promise<unknown>;
}

interface Repeated extends Pick<Sweep, "name" | "everyMs"> {
  run(): Promise<void>;
}

/** Requests that cannot succeed are to fail within a second; the rest is in no hurry. */
const SWEEPS: readonly Sweep[] = [
  { name: "requests that cannot succeed", everyMs: 400, run: failDoomedRequests },
  { name: "requests that nobody answered", everyMs: 2000, run: expireRequests },
  { name: "peerings that nobody sees any more", everyMs: 5000, run: forgetHiddenPeerings },
  { name: "idempotency keys", everyMs: 5000, run: forgetIdempotencyKeys },
  { name: "old events", everyMs: 5000, run: removeOldEvents },
  { name: "uses of access keys", everyMs: 60_000, run: writeKeyUses },
];

/**
 * Runs every sweep at once and then again and again until stopped.
 * @param mayWrite while it says no, sweeps are left out: what they change is not this daemon's
 */
export function startSweeper(
  ctx: ServiceContext,
  log: Log,
  mayWrite: () => boolean = () => true,
): { stop(): Promise<void> } {
  const running = SWEEPS.map((sweep) => {
    const guard = new Setbacks({
      warn: (details, message) => log.warn({ ...details, sweep: sweep.name }, message),
    });
    const run = async () => {
      if (mayWrite()) await sweep.run(ctx, guard);
    };
    return repeat({ ...sweep, run }, log);
  });
  return {
    async stop() {
      await Promise.all(running.map((each) => each.stop()));
    },
  };
}

function repeat(sweep: Repeated, log: Log): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const once = async (): Promise<void> => {
    await sweep.run().catch((error: unknown) => {
      log.warn({ err: error, sweep: sweep.name }, "a sweep failed; trying again");
    });
    if (!stopped) timer = setTimeout(next, sweep.everyMs);
  };
  let current = once();
  function next(): void {
    current = once();
  }
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}
