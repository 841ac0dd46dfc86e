import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../faults/random.js";
import { waitFor } from "../../support/rest.js";
import { explainFailures } from "../e2e/diagnosis.js";
import { HOSTILE_FRAMES } from "../e2e/hostile-frames.js";
import { FRAMES_TO_HOST, hostAddresses } from "./frames-host.js";
import { macOfDevice } from "./frames-link.js";
import { readFrameOptions } from "./frames-options.js";
import { randomFrame, type Thrown } from "./frames-random.js";
import { type Breaches, forget, judge, throwAndJudge } from "./frames-throw.js";
import { type Arena, openArena, type Post, surroundingsOf, switchProcess } from "./frames-world.js";

const options = readFrameOptions();
/** One with peers, one whose peers are not each other's, one that has the first one's addresses. */
const THROWERS = ["a1", "c1", "d1"];
const HOLE_LIMIT_MS = 10_000;
const LONG_LIMIT_MS = 3_600_000;

let arena: Arena;
let process: string;

beforeAll(async () => {
  arena = await openArena();
  process = await switchProcess(arena);
});

explainFailures(() => arena?.world);

afterAll(() => arena?.dispose());

function post(name: string): Post {
  const found = arena.posts.find((one) => one.name === name);
  if (found === undefined) throw new Error(`nobody is called ${name}`);
  return found;
}

async function random(thrower: Post, count: number): Promise<Thrown[]> {
  const scene = await surroundingsOf(arena, thrower);
  const numbers = new Random(options.seed + THROWERS.indexOf(thrower.name));
  return Array.from({ length: count }, (_, n) =>
    randomFrame(numbers, scene, `${thrower.name}-${n}`),
  );
}

/** The frames of the isolation test, and those for the host, each named after its kind. */
async function systematic(thrower: Post): Promise<Thrown[]> {
  const { router, foreignRouters, exchangeMac } = await surroundingsOf(arena, thrower);
  const victims = arena.posts.filter((one) => one !== thrower).map(({ workload }) => workload);
  const scene = { attacker: thrower.workload, router, victims, foreignRouters, exchangeMac };
  const hostMac = await macOfDevice(thrower.port);
  const host = { ...thrower, hostMac, ...hostAddresses() };
  const named = (what: string, frames: Buffer[]) =>
    frames.map((frame) => ({ frame, what, label: `${thrower.name} ${what}` }));
  return [
    ...Object.entries(HOSTILE_FRAMES).flatMap(([what, make]) =>
      named(what, make(scene, `${thrower.name} ${what}`)),
    ),
    ...Object.entries(FRAMES_TO_HOST).flatMap(([what, make]) =>
      named(`${what} to the host`, make(host, `${thrower.name} ${what} to the host`)),
    ),
  ];
}

async function breachesOf(thrower: Post, frames: readonly Thrown[]) {
  return throwAndJudge(arena, thrower, await surroundingsOf(arena, thrower), frames);
}

describe.each(THROWERS)("hostile frames of %s", (name) => {
  it("arrive nowhere, each kind in order", async () => {
    const frames = await systematic(post(name));
    expect(await breachesOf(post(name), frames)).toEqual([]);
  });

  it(
    `arrive only where they may, at random: ${options.command}`,
    async () => {
      const frames = await random(post(name), options.count);
      expect(await breachesOf(post(name), frames)).toEqual([]);
    },
    LONG_LIMIT_MS,
  );
});

it("teach the host no neighbour", async () => {
  for (const { port } of arena.posts) {
    expect((await execa("ip", ["neigh", "show", "dev", port])).stdout).toBe("");
  }
});

it("do not end the switch", async () => {
  expect(await switchProcess(arena)).toBe(process);
});

/** Whoever sees nothing may be blind: with a hole made on purpose it has to see. */
describe("a hole", () => {
  /** Throws until something has been found. */
  async function found(thrower: Post): Promise<Breaches> {
    const frames = await random(thrower, 32);
    const thrown = new Map(frames.map((one) => [one.label, one]));
    forget(arena);
    return waitFor(
      async () => {
        await thrower.workload.send(frames.map(({ frame }) => frame));
        const breaches = judge(arena, thrower, thrown);
        return breaches.length > 0 && breaches;
      },
      HOLE_LIMIT_MS,
      "a breach",
    );
  }

  it("from one VPC into another is seen", async () => {
    const [from, to] = [post("a1"), post("d1")];
    await bore(from.port, to.port);
    expect((await found(from)).join("\n")).toMatch(/^d1: it is .* thrown as [0-9a-f]+$/m);
  });

  it("to the host is seen", async () => {
    const { port } = post("c1");
    await execa("tc", ["qdisc", "del", "dev", port, "clsact"]);
    expect((await found(post("c1"))).join("\n")).toContain(`the host took it from ${port}`);
  });
});

/** Flows and a patch that take whatever one port sends to another one, on another bridge. */
async function bore(from: string, to: string): Promise<void> {
  const { vsctl, ofctl } = arena.world.sandbox;
  const ends = [
    { name: "pbhole0", peer: "pbhole1", bridge: await vsctl("port-to-br", from) },
    { name: "pbhole1", peer: "pbhole0", bridge: await vsctl("port-to-br", to) },
  ] as const;
  for (const { name, peer, bridge } of ends) {
    const patch = ["--", "set", "Interface", name, "type=patch", `options:peer=${peer}`];
    await vsctl("add-port", bridge, name, ...patch);
  }
  const number = (port: string) => vsctl("get", "Interface", port, "ofport");
  const lead = async (bridge: string, input: string, output: string) =>
    ofctl(
      ...["add-flow", bridge],
      `cookie=1,priority=65535,in_port=${await number(input)},actions=output:${await number(output)}`,
    );
  await lead(ends[1].bridge, ends[1].name, to);
  await lead(ends[0].bridge, from, ends[0].name);
}
