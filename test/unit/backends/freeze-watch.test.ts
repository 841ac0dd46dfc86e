import { expect, it, vi } from "vitest";
import { FreezeWatch, isWaiting } from "../../../src/backends/ovs/freeze-watch.js";
import { Replica } from "../../../src/backends/ovs/replica.js";
import type { Unixctl } from "../../../src/backends/ovs/unixctl.js";

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

function watching(shown: string) {
  const [changed, warn, runBeside] = [vi.fn(), vi.fn(), vi.fn(async () => shown)];
  const watch = new FreezeWatch({ log: { info: vi.fn(), warn }, changed });
  return { watch, changed, warn, runBeside, unixctl: { runBeside } as unknown as Unixctl };
}

it("tells a switch that waits from one that forwards, and from one without a datapath", () => {
  expect([isWaiting(WAITING), isWaiting(FORWARDING), isWaiting("")]).toEqual([true, false, false]);
});

it("asks the switch only when it is told to wait", async () => {
  const { watch, unixctl, runBeside } = watching(WAITING);
  watch.follow(asking(undefined));
  await watch.check(unixctl);
  watch.follow(asking("false"));
  await watch.check(unixctl);
  expect(runBeside).not.toHaveBeenCalled();
  expect(watch.isFrozen).toBe(false);
});

it("is frozen until nobody asks for it any more, and says so once each", async () => {
  const { watch, unixctl, changed } = watching(WAITING);
  watch.follow(asking("true"));
  expect(watch.isFrozen).toBe(false);
  await watch.check(unixctl);
  await watch.check(unixctl);
  expect([watch.isFrozen, changed.mock.calls.length]).toEqual([true, 1]);
  watch.follow(asking(undefined));
  expect([watch.isFrozen, changed.mock.calls.length]).toEqual([false, 2]);
});

it("only warns of a switch that is told to wait while it forwards", async () => {
  const { watch, unixctl, changed, warn } = watching(FORWARDING);
  watch.follow(asking("true"));
  await watch.check(unixctl);
  expect([watch.isFrozen, changed.mock.calls.length, warn.mock.calls.length]).toEqual([
    false,
    0,
    1,
  ]);
});
