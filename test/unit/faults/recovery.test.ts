import { describe, expect, it } from "vitest";
import type { PeeringSlot } from "../../faults/load/peering-slot.js";
import { RecoveryWatch } from "../../faults/recovery.js";
import { now } from "../../faults/time.js";

const LIMIT_MS = 5000;
const ends = { a: { number: 0 }, b: { number: 1 } };
const unexplained = async () => undefined;

/** A slot whose packets should pass until it was asked so many times. */
function wantedFor(looks: number): PeeringSlot {
  let looked = 0;
  return {
    id: "pcx-1",
    ...ends,
    get shouldTalk() {
      looked += 1;
      return looked <= looks;
    },
  } as unknown as PeeringSlot;
}

describe("who is silent", () => {
  it("is excused when the deletion is asked for in time", async () => {
    const watch = new RecoveryWatch(now());
    expect((await watch.of([wantedFor(4)], LIMIT_MS, unexplained)).late).toEqual([]);
  });

  it("is late all the same when the deletion is asked for afterwards", async () => {
    const watch = new RecoveryWatch(now() - 2 * LIMIT_MS);
    expect((await watch.of([wantedFor(4)], LIMIT_MS, unexplained)).late).toHaveLength(1);
  });
});
