import { bridgesWith, exchangeOf } from "../../ovs/e2e/switch-state.js";
import { waitFor } from "../../support/rest.js";
import type { Site, World } from "../world.js";
import { type Fault, type Heal, nothingToHeal, RECOVERY_MS } from "./fault.js";

const BRIDGE_LIMIT_MS = 30_000;

export const switchFaults: readonly Fault[] = [
  {
    kind: "kill -9 ovs-vswitchd",
    holds: [0, 2500],
    recoveryLimitMs: RECOVERY_MS,
    strike: async ({ world: { sandbox } }) => {
      await sandbox.killVswitchd("SIGKILL");
      return () => sandbox.startAgain();
    },
  },
  {
    // A switch that hangs: longer than the daemon waits for an answer, now and then.
    kind: "stop ovs-vswitchd for a while",
    holds: [1000, 13_000],
    recoveryLimitMs: RECOVERY_MS,
    strike: async ({ world: { sandbox } }) => {
      const pid = await sandbox.vswitchdPid();
      process.kill(pid, "SIGSTOP");
      return async () => {
        process.kill(pid, "SIGCONT");
      };
    },
  },
  {
    kind: "kill -9 ovsdb-server",
    holds: [0, 2500],
    recoveryLimitMs: RECOVERY_MS,
    strike: async ({ world: { sandbox } }) => {
      await sandbox.killOvsdb("SIGKILL");
      return () => sandbox.startAgain();
    },
  },
  {
    kind: "delete a patch port",
    holds: [0, 500],
    recoveryLimitMs: RECOVERY_MS,
    strike: async ({ world: { sandbox }, random }) => {
      const find = ["--bare", "--columns=name", "find", "Interface", "type=patch"];
      const patches = (await sandbox.vsctl(...find)).split("\n").filter((line) => line !== "");
      // It may go with its VPC at this very moment.
      await sandbox.vsctl("--if-exists", "del-port", random.pick(patches.sort()));
      return nothingToHeal;
    },
  },
  {
    kind: "delete a bridge",
    holds: [0, 500],
    recoveryLimitMs: RECOVERY_MS,
    strike: async ({ world, random }) => {
      const { sandbox, sites } = world;
      const site = sites[random.between(0, sites.length)];
      const bridge = site?.vpc.bridge ?? (await exchangeOf(sandbox));
      await sandbox.vsctl("del-br", bridge);
      return site === undefined ? () => bridgeIsBack(world, bridge) : plugAgain(world, site);
    },
  },
];

async function bridgeIsBack({ sandbox }: World, bridge: string): Promise<void> {
  const isThere = async () => (await bridgesWith(sandbox, {})).includes(bridge);
  await waitFor(isThere, BRIDGE_LIMIT_MS, `bridge ${bridge}`);
}

/** As whoever runs the workload does when its port has gone with the bridge. */
function plugAgain(world: World, { vpc, host, eni, tenant }: Site): Heal {
  return async () => {
    await bridgeIsBack(world, vpc.bridge);
    const claim = ["--", "set", "Interface", host.port, `external_ids:iface-id=${eni.id}`];
    await world.sandbox.vsctl("--may-exist", "add-port", vpc.bridge, host.port, ...claim);
    await tenant.untilBound(eni.id, BRIDGE_LIMIT_MS);
  };
}
