import { bridgesWith, exchangeOf, flowsOf } from "../../ovs/e2e/switch-state.js";
import type { Random } from "../random.js";
import type { World } from "../world.js";
import { type Fault, nothingToHeal, REPAIR_MS } from "./fault.js";

/** Nobody sends this: what is added by hand must go, but must not let anything through by itself. */
const UNUSED = "udp,tp_dst=4711";
const FOREIGN_COOKIE = "0xfa017";
const MOST_FLOWS = 4;

export const flowFaults: readonly Fault[] = [
  {
    kind: "delete flows by hand",
    holds: [0, 500],
    recoveryLimitMs: REPAIR_MS,
    strike: async ({ world, random }) => {
      const { sandbox } = world;
      const bridge = await anyBridge(world, random);
      if (random.chance(0.3)) {
        await sandbox.ofctl("del-flows", bridge);
        return nothingToHeal;
      }
      for (const flow of await someFlows(world, random, bridge)) {
        await sandbox.ofctl("--strict", "del-flows", bridge, identityOf(flow));
      }
      return nothingToHeal;
    },
  },
  {
    kind: "alter flows by hand",
    holds: [0, 500],
    recoveryLimitMs: REPAIR_MS,
    strike: async ({ world, random }) => {
      const bridge = await anyBridge(world, random);
      for (const flow of await someFlows(world, random, bridge)) {
        const altered = `${identityOf(flow)},actions=drop`;
        await world.sandbox.ofctl("--strict", "mod-flows", bridge, altered);
      }
      return nothingToHeal;
    },
  },
  {
    kind: "add flows by hand",
    holds: [0, 1000],
    recoveryLimitMs: REPAIR_MS,
    strike: async ({ world, random }) => {
      const { sandbox } = world;
      const bridge = await anyBridge(world, random);
      const own = /cookie=(0x[0-9a-f]+)/.exec((await flowsOf(sandbox, bridge))[0] ?? "")?.[1];
      const priority = random.between(1000, 2000);
      const add = (cookie: string, table: number) =>
        sandbox.ofctl(
          "add-flow",
          bridge,
          `cookie=${cookie},table=${table},priority=${priority},${UNUSED},actions=drop`,
        );
      // One that looks like ours must go; another's is reported and left alone.
      if (own !== undefined) await add(own, random.between(0, 5));
      await add(FOREIGN_COOKIE, 0);
      return async () => {
        await sandbox.ofctl("del-flows", bridge, `cookie=${FOREIGN_COOKIE}/-1`);
      };
    },
  },
];

async function anyBridge({ sandbox, sites }: World, random: Random): Promise<string> {
  const exchange = await exchangeOf(sandbox);
  const bridges = sites.map(({ vpc }) => vpc.bridge);
  const there = await bridgesWith(sandbox, {});
  return random.pick([...bridges, exchange, exchange].filter((name) => there.includes(name)));
}

async function someFlows({ sandbox }: World, random: Random, bridge: string): Promise<string[]> {
  const flows = await flowsOf(sandbox, bridge);
  return random.shuffled(flows).slice(0, random.between(1, MOST_FLOWS));
}

/** A flow as it was printed, without its cookie and its actions. */
function identityOf(flow: string): string {
  return flow.replace(/^cookie=0x[0-9a-f]+, /, "").replace(/ actions=.*$/, "");
}
