import { expect, it } from "vitest";
import { FreezeWatch, isWaiting } from "../../../src/backends/ovs/freeze-watch.js";
import { Replica } from "../../../src/backends/ovs/replica.js";

/** As printed by Open vSwitch 3.1.0, one after another life. */
const FORWARDING = `netdev@ovs-netdev:
  flows         : (current 4) (avg 2) (max 8) (limit 10000)
  dump duration : 1ms
  ufid enabled : true

  5: (keys 4)
`;
const WAITING = FORWARDING.replace("  5: (keys 4)\n", "");

function asking(value: string | undefined): Replica {
  const replica = new Replica();
  const entries = value === undefined ? [] : [["flow-restore-wait", value]];
  const row = { cur_cfg: 1, next_cfg: 1, other_config: ["map", entries] };
  replica.apply({ Open_vSwitch: { s: { new: row } } });
  return replica;
}

interface Counts {
  changes: number;
  warnings: number;
  questions: number;
}

/** A watch on a switch that prints the same whenever it is asked, and what came of it. */
function watching(shown: string) {
  const counts: Counts = { changes: 0, warnings: 0, questions: 0 };
  const count = (what: keyof Counts) => () => {
    counts[what] += 1;
  };
  const log = { info: () => undefined, warn: count("warnings") };
  const watch = new FreezeWatch({ log, changed: count("changes") });
  const runBeside = async () => {
    counts.questions += 1;
    return shown;
  };
  return { watch, counts, unixctl: { runBeside } };
}

it("tells a switch that waits from one that forwards, and from one without a datapath", () => {
  expect([isWaiting(WAITING), isWaiting(FORWARDING), isWaiting("")]).toEqual([true, false, false]);
});

it("asks the switch only when it is told to wait", async () => {
  const { watch, unixctl, counts } = watching(WAITING);
  for (const value of [undefined, "false"]) {
    watch.follow(asking(value));
    await watch.check(unixctl);
  }
  expect(counts.questions).toBe(0);
  expect(watch.isFrozen).toBe(false);
});

it("is frozen until nobody asks for it any more, and says so once each", async () => {
  const { watch, unixctl, counts } = watching(WAITING);
  watch.follow(asking("TRUE"));
  expect(watch.isFrozen).toBe(false);
  await watch.check(unixctl);
  await watch.check(unixctl);
  expect([watch.isFrozen, counts.changes]).toEqual([true, 1]);
  watch.follow(asking(undefined));
  expect([watch.isFrozen, counts.changes]).toEqual([false, 2]);
});

it("only warns of a switch that is told to wait while it forwards", async () => {
  const { watch, unixctl, counts } = watching(FORWARDING);
  watch.follow(asking("true"));
  await watch.check(unixctl);
  watch.follow(asking("true"));
  expect(watch.isFrozen).toBe(false);
  expect(counts).toEqual({ changes: 0, warnings: 1, questions: 1 });
});
