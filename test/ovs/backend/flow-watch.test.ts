import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Plan } from "../../../src/backends/backend.js";
import { type StageBundle, stageBundle } from "../../../src/backends/ovs/bundle.js";
import { type Exec, exec } from "../../../src/backends/ovs/exec.js";
import type { Scope } from "../../../src/domain/intent.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { peeringIntent, scopeOf, slice, vpcIntent } from "../../support/intents.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import {
  ALL_WELL,
  eventually,
  foundAgain,
  type Installation,
  install,
  watched,
} from "./fixture.js";

const VPCS = [vpcIntent(1, 1), vpcIntent(2, 1), vpcIntent(3, 1)];
const PEERING = peeringIntent(1, 1, 2);
const EVERYTHING = slice("all", VPCS, [PEERING]);
/** A flow of somebody else's: when the switch tells of it, it has told of all that was before. */
const SENTINEL = "cookie=0x5e,priority=3,udp,tp_dst=4712";

let sandbox: Sandbox;
let installation: Installation;
/** Bridges whose flows were read, in order. */
let reads: string[] = [];
let duringBundle: ((bridge: string) => Promise<unknown>) | undefined;

const counting: Exec = (program, args, stdin) => {
  const target = args.find((arg) => arg.endsWith(".mgmt")) ?? "";
  if (args.includes("dump-flows")) reads.push(basename(target, ".mgmt"));
  return exec(program, args, stdin);
};

const TIMES = ["before", "amid", "after"] as const;
/** When somebody meddles, seen from the switch; for us the bundle is on its way all the time. */
let meddlesAt: (typeof TIMES)[number] = "amid";

const meddled: StageBundle = async (path, steps) => {
  const meddle = () => duringBundle?.(basename(path, ".mgmt"));
  const staged = await stageBundle(path, steps);
  const commit = async () => {
    if (meddlesAt === "before") await meddle();
    const meddling = meddlesAt === "amid" ? meddle() : undefined;
    await staged.commit();
    await (meddlesAt === "after" ? meddle() : meddling);
  };
  return { ...staged, commit };
};

beforeAll(async () => {
  sandbox = await startSandbox();
  installation = await install(sandbox, { exec: counting, stageBundle: meddled });
});

beforeEach(async () => {
  duringBundle = undefined;
  expect(await installation.reconcile(EVERYTHING, true)).toMatchObject(ALL_WELL);
  await watched(installation, 4);
  for (const bridge of bridges()) await comeToRest(bridge);
  reads = [];
});

afterEach(() => expect(nothingLeft()).resolves.toEqual([]));

afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
});

function bridges(): string[] {
  const { names } = installation;
  return [names.exchange, ...[1, 2, 3].map((number) => names.vpcBridge(number))];
}

function forgetSuspicions(): void {
  installation.doubts.length = 0;
  installation.suspicions.length = 0;
}

/** Adds the sentinel to bridges, or takes it away, and waits until each of them is suspect. */
async function provoke(how: "add-flow" | "del-flows", ...names: string[]): Promise<void> {
  for (const name of names) {
    const flow = how === "add-flow" ? `${SENTINEL},actions=drop` : "cookie=0x5e/-1";
    await sandbox.ofctl(how, name, flow);
  }
  const isSuspect = (name: string) =>
    installation.suspicions.some(({ bridge, kind }) => bridge === name && kind !== "unwatched");
  await eventually(() => names.every(isSuspect));
}

/** Nothing raises suspicion on these bridges but a sentinel that is added now. */
async function expectNoSuspicion(...names: string[]): Promise<void> {
  await provoke("add-flow", ...names);
  expect(installation.suspicions).toHaveLength(names.length);
  for (const suspicion of installation.suspicions) {
    expect(suspicion).toMatchObject({ kind: "added", cookie: "0x5e" });
  }
}

/** Until the switch has told all there is to tell of a bridge, and the bridge has been read. */
async function comeToRest(bridge: string, intent = EVERYTHING): Promise<void> {
  const kinds: string[] = [];
  while (kinds.join() !== "added,removed") {
    kinds.length = 0;
    for (const how of ["add-flow", "del-flows"] as const) {
      forgetSuspicions();
      expect(await installation.reconcile(intent)).toMatchObject(ALL_WELL);
      await provoke(how, bridge);
      kinds.push(
        ...installation.suspicions.flatMap(({ kind, cookie }) => (cookie === "0x5e" ? kind : [])),
      );
    }
  }
  expect(await installation.reconcile(intent)).toMatchObject(ALL_WELL);
  forgetSuspicions();
}

/** What a fresh reading finds left to do. */
async function nothingLeft(intent = EVERYTHING): Promise<string[]> {
  const plan = await installation.backend.plan(intent, { fresh: true });
  return plan.diffs.flatMap(({ missing, changed, unexpected }) => {
    return [...missing, ...changed, ...unexpected];
  });
}

/**
 * Waits until a bridge is suspect and in doubt, and does what the reconciler would do. A doubt about
 * what went before may be late: it wakes the reconciler, and makes it read nothing.
 */
async function repair(bridge: string, scope: Scope): Promise<Plan> {
  await eventually(() => installation.suspicions.some((each) => each.bridge === bridge));
  await eventually(() => installation.doubts.some((doubt) => isDeepStrictEqual(doubt, scope)));
  forgetSuspicions();
  const plan = await installation.backend.plan(slice(scope, VPCS, [PEERING]), { fresh: false });
  expect(await installation.backend.apply(plan)).toMatchObject(ALL_WELL);
  return plan;
}

it("takes its own accepts and deletes for its own: no doubt, and not a single reading", async () => {
  const other = peeringIntent(2, 2, 3);
  for (let round = 0; round < 25; round += 1) {
    for (const admitted of [true, false]) {
      const peerings = [PEERING, { ...other, admitted }];
      const outcome = await installation.reconcile(slice(scopeOf(2, 3), VPCS, peerings));
      expect(outcome).toMatchObject(ALL_WELL);
    }
  }
  const { names } = installation;
  await expectNoSuspicion(names.exchange, names.vpcBridge(2), names.vpcBridge(3));
  expect(reads).toEqual([]);
});

it("is told which bridge to look at, reads that one alone, and says what was done", async () => {
  const bridge = installation.names.vpcBridge(3);
  const before = await sandbox.ofctl("dump-flows", "--no-stats", bridge);
  await sandbox.ofctl("--strict", "del-flows", bridge, "table=0,priority=0");
  const plan = await repair(bridge, scopeOf(3));
  expect(reads).toEqual([bridge]);
  forgetSuspicions();
  expect(plan.drift).toMatchObject([{ bridge, altered: [], added: [] }]);
  expect(plan.drift[0]?.deleted).toEqual([expect.stringContaining("priority=0 actions=drop")]);
  expect(sorted(await sandbox.ofctl("dump-flows", "--no-stats", bridge))).toEqual(sorted(before));
  // The repair is its own.
  await expectNoSuspicion(bridge);
});

it("finds flows altered and added on the exchange, and tells foreign ones apart", async () => {
  const { exchange } = installation.names;
  const [ours = ""] = installation.backend.peeringFlows(PEERING)[2]?.flows ?? [];
  const cookie = /cookie=(0x[0-9a-f]+)/.exec(ours)?.[1];
  const port = /in_port=\d+/.exec(ours)?.[0];
  await sandbox.ofctl("mod-flows", exchange, `table=0,ip,${port},actions=drop`);
  await sandbox.ofctl("add-flow", exchange, `cookie=${cookie},priority=9,arp,actions=NORMAL`);
  await sandbox.ofctl("add-flow", exchange, "cookie=0x77,priority=7,udp,actions=drop");
  const plan = await repair(exchange, "all");
  expect(new Set(reads)).toEqual(new Set([exchange]));
  expect(plan.drift).toHaveLength(1);
  expect(plan.drift[0]).toMatchObject({ bridge: exchange, deleted: [] });
  expect(plan.drift[0]?.altered).toEqual([
    { was: ours, is: ours.replace(/actions=.*/, "actions=drop") },
  ]);
  expect(plan.drift[0]?.added).toEqual([expect.stringContaining("priority=9,arp actions=NORMAL")]);
  const foreign = plan.diffs.find((diff) => diff.bridge === exchange)?.foreign;
  expect(foreign).toEqual([expect.stringContaining("cookie=0x77")]);
  await comeToRest(exchange);
  await sandbox.ofctl("del-flows", exchange, "cookie=0x77/-1");
  const later = await repair(exchange, "all");
  expect(later.drift).toEqual([]);
  expect(later.diffs.flatMap((diff) => diff.foreign)).toEqual([]);
});

it("finds what was done while its own bundle was on its way", async () => {
  const other = peeringIntent(2, 2, 3);
  const bridge = installation.names.vpcBridge(2);
  const damage = [
    ["del-flows", bridge, `table=${VPC_TABLES.egressTrack.number}`],
    ["mod-flows", bridge, `table=${VPC_TABLES.route.number},ip,actions=drop`],
    ["add-flow", bridge, "table=0,priority=0,actions=NORMAL"],
    ["del-flows", bridge],
  ];
  let round = 0;
  for (const time of [...TIMES, ...TIMES]) {
    meddlesAt = time;
    for (const args of damage) {
      round += 1;
      const admitted = round % 2 === 1;
      duringBundle = async (programmed) => {
        if (programmed !== bridge) return;
        duringBundle = undefined;
        await sandbox.ofctl(...args);
      };
      const intent = slice(scopeOf(2, 3), VPCS, [PEERING, { ...other, admitted }]);
      await installation.reconcile(intent);
      await eventually(() => installation.suspicions.some((each) => each.bridge === bridge));
      installation.doubts.length = 0;
      await installation.reconcile(intent);
      await eventually(async () => {
        if (installation.doubts.splice(0).length > 0) await installation.reconcile(intent);
        return (await nothingLeft(intent)).length === 0;
      });
      expect(await nothingLeft(intent), args.join(" ")).toEqual([]);
      await comeToRest(bridge, intent);
    }
  }
  await installation.reconcile(
    slice(scopeOf(2, 3), VPCS, [PEERING, { ...other, admitted: false }]),
  );
});

it("follows bridges as they come and go, and a switch that was restarted", async () => {
  const four = slice("all", [...VPCS, vpcIntent(4)], [PEERING]);
  await installation.reconcile(four);
  await watched(installation, 5);
  await installation.reconcile(EVERYTHING);
  await watched(installation, 4);
  await sandbox.killVswitchd();
  await watched(installation, 0);
  await sandbox.startAgain();
  await foundAgain(installation);
  await watched(installation, 4);
  await eventually(async () => {
    return (await installation.reconcile(EVERYTHING)).failedVpcs.size === 0;
  });
  await comeToRest(installation.names.vpcBridge(1));
  await sandbox.ofctl("del-flows", installation.names.vpcBridge(1));
  const plan = await repair(installation.names.vpcBridge(1), scopeOf(1));
  expect(plan.drift[0]?.deleted.length).toBeGreaterThan(10);
});

function sorted(text: string): string[] {
  return text.split("\n").sort();
}
