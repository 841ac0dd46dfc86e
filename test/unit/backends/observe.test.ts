import { setImmediate as othersGo } from "node:timers/promises";
import { expect, it } from "vitest";
import { BackendError } from "../../../src/backends/backend.js";
import { Belief } from "../../../src/backends/ovs/belief.js";
import { CommandError } from "../../../src/backends/ovs/exec.js";
import { observe } from "../../../src/backends/ovs/observe.js";
import { Ofctl } from "../../../src/backends/ovs/ofctl.js";

const HANGS = new CommandError({
  message: "ovs-ofctl did not end within 10 s",
  command: "ovs-ofctl",
  exitCode: undefined,
  stderr: "",
  hopeless: true,
});

it("ends only with its last reading, also when the switch hangs, and begins no others", async () => {
  const begun: string[] = [];
  let print: (text: string) => void = () => undefined;
  const late = new Promise<string>((resolve) => {
    print = resolve;
  });
  const ofctl = new Ofctl(
    async (_, args) => {
      const bridge = /(\w+)\.mgmt$/.exec(args.at(-1) ?? "")?.[1] ?? "";
      begun.push(bridge);
      if (bridge === "slow") return late;
      throw HANGS;
    },
    "/run",
    { check() {} },
  );
  let isOver = false;
  const bridges = ["slow", "b", "c", "d", "e", "f"];
  const reading = observe(bridges, new Belief(7), ofctl, true).finally(() => {
    isOver = true;
  });
  const ended = Promise.allSettled([reading]);
  for (let turn = 0; turn < 10; turn += 1) await othersGo();
  expect(isOver).toBe(false);
  print("");
  await ended;
  await expect(reading).rejects.toThrow(BackendError);
  expect(begun).toEqual(["slow", "b", "c", "d"]);
});
