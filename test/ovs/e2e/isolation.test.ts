import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Peering, peer, waitFor } from "../../support/rest.js";
import { explainFailures } from "./diagnosis.js";
import { udpFrame } from "./frames.js";
import { HOSTILE_FRAMES, type Scene } from "./hostile-frames.js";
import { pairs, reachable } from "./reach.js";
import { exchangeOf, macOf } from "./switch-state.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

const ARRIVAL_LIMIT_MS = 10_000;

let world: World;
let a: Site;
let b: Site;
let c: Site;
let everybody: Workload[];

beforeAll(async () => {
  world = await startWorld();
  [a, b, c] = await Promise.all([
    world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 1, "10.1.2.0/24": 1 }),
    world.site("b", "10.2.0.0/16", { "10.2.1.0/24": 2 }),
    world.site("c", "10.3.0.0/16", { "10.3.1.0/24": 2 }),
  ]);
  everybody = [a, b, c].flatMap((site) => site.workloads);
});

explainFailures(() => world);

afterAll(() => world?.dispose());

function siteOf(workload: Workload): Site {
  const site = [a, b, c].find(({ vpcId }) => vpcId === workload.eni.vpcId);
  if (site === undefined) throw new Error(`${workload.name} is nowhere`);
  return site;
}

function withinOneVpc(from: Workload, to: Workload): boolean {
  return siteOf(from) === siteOf(to);
}

/** A–B and B–C. */
function mayTalk(from: Workload, to: Workload): boolean {
  return withinOneVpc(from, to) || siteOf(from) === b || siteOf(to) === b;
}

async function expectTalk(may: (from: Workload, to: Workload) => boolean): Promise<void> {
  const expected = pairs(everybody, may);
  expect(await reachable(everybody)).toEqual({ ping: expected, tcp: expected });
}

describe("three VPCs, A–B and B–C peered", () => {
  it("talk only within themselves while nothing is peered", async () => {
    await expectTalk(withinOneVpc);
  });

  describe("asked for", () => {
    let asked: Peering[];

    beforeAll(async () => {
      const request = (from: Site, to: Site) => peer(from, to, { accept: false });
      asked = [await request(a, b), await request(c, b)];
    });

    it("talk no more than before until somebody accepts", async () => {
      await expectTalk(withinOneVpc);
    });

    it("talk with their peers, and never beyond them, once accepted", async () => {
      for (const { id } of asked) {
        expect(await b.tenant.acceptPeering(id)).toMatchObject({ state: "active" });
      }
      await expectTalk(mayTalk);
    });
  });

  it("have gateways that answer their own VPC only", async () => {
    const gateways = [a, b, c].flatMap((site) => site.subnets.map((subnet) => ({ site, subnet })));
    const answers = everybody.flatMap((from) =>
      gateways.map(async ({ site, subnet }) => ({
        from: from.name,
        gateway: subnet.gateway,
        answered: (await from.host.countPings(subnet.gateway, 2)) > 0,
        expected: site === siteOf(from),
      })),
    );
    const wrong = (await Promise.all(answers)).filter((it) => it.answered !== it.expected);
    expect(wrong).toEqual([]);
  });
});

/** Reached by a frame of the same making with nothing wrong with it: proof that captures work. */
const CONTROL = "control";

async function sendControls(from: Workload, to: readonly Workload[]): Promise<void> {
  const macs = { from: from.mac, to: await from.routerMac() };
  await from.send(to.map(({ ip }) => udpFrame(CONTROL, macs, { from: from.ip, to: ip })));
  const arrived = () => to.every((workload) => workload.seen(CONTROL).count > 0);
  await waitFor(arrived, ARRIVAL_LIMIT_MS, `controls of ${from.name}`);
}

function first(site: Site): Workload {
  const [workload] = site.workloads;
  if (workload === undefined) throw new Error("a site without workloads");
  return workload;
}

/** A1 is peered with B only; B1 with both of the others. */
describe.each(["a1", "b1"])("frames from %s", (name) => {
  const labelOf = (wrong: string) => `${name} ${wrong}`;

  beforeAll(async () => {
    const scene = await sceneOf(name);
    for (const [wrong, frames] of Object.entries(HOSTILE_FRAMES)) {
      await scene.attacker.send(frames(scene, labelOf(wrong)));
    }
    // A port's frames keep their order: when these have come, all others have been judged.
    const reached = scene.victims.filter((victim) => mayTalk(scene.attacker, victim));
    await sendControls(scene.attacker, reached);
    await sendControls(first(b), [first(a), ...c.workloads]);
  });

  it.each(Object.keys(HOSTILE_FRAMES))("with %s are seen by nobody", (wrong) => {
    const seen = everybody.map((workload) => [workload.name, workload.seen(labelOf(wrong))]);
    expect(seen).toEqual(everybody.map((workload) => [workload.name, { count: 0 }]));
  });
});

async function sceneOf(name: string): Promise<Scene> {
  const attacker = everybody.find((workload) => workload.name === name);
  if (attacker === undefined) throw new Error(`nobody is called ${name}`);
  const routers = await Promise.all([a, b, c].map((site) => first(site).routerMac()));
  const router = await attacker.routerMac();
  return {
    attacker,
    router,
    victims: everybody.filter((workload) => workload !== attacker),
    foreignRouters: routers.filter((mac) => mac !== router),
    exchangeMac: await macOf(world.sandbox, await exchangeOf(world.sandbox)),
  };
}
