import { waitFor } from "../../support/rest.js";
import { mark } from "../e2e/frames.js";
import type { Surroundings } from "./frames-forged.js";
import { breach, type Judging } from "./frames-oracle.js";
import { rightFrame, type Thrown } from "./frames-random.js";
import type { Watched } from "./frames-watch.js";
import type { Arena, Post } from "./frames-world.js";

/** More at once would overflow the socket by which the switch receives, and not be judged. */
const AT_ONCE = 64;
const ARRIVAL_LIMIT_MS = 15_000;

/** One line for each frame that came in where it may not: where, why, and all of it in hex. */
export type Breaches = readonly string[];

/** Throws frames in order, with right ones between that have to arrive, and judges all that came. */
export async function throwAndJudge(
  arena: Arena,
  thrower: Post,
  scene: Surroundings,
  frames: readonly Thrown[],
): Promise<Breaches> {
  forget(arena);
  const found: string[] = [];
  const thrown = new Map(frames.map((one) => [one.label, one]));
  for (let at = 0; at < frames.length; at += AT_ONCE) {
    const some = frames.slice(at, at + AT_ONCE).map(({ frame }) => frame);
    await thrower.workload.send(some);
    await passage(arena, thrower, scene, `right-${thrower.name}-${at}`);
    found.push(...judge(arena, thrower, thrown));
  }
  await settle(arena);
  found.push(...judge(arena, thrower, thrown));
  return found;
}

/** Nothing that has come in so far is judged. */
export function forget({ posts, host, bridges }: Arena): void {
  for (const watch of [host, bridges, ...posts.map((post) => post.watch)]) watch.take();
}

/** A port's frames keep their order: once these have come, all before them have been judged. */
async function passage(arena: Arena, thrower: Post, scene: Surroundings, label: string) {
  const reached = arena.posts.filter((post) => post !== thrower && arena.may(thrower, post));
  await thrower.workload.send(reached.map(({ ip }) => rightFrame(scene, ip, label)));
  const wanted = mark(label);
  const came = ({ watch }: Post) => watch.seen.some(({ frame }) => frame.includes(wanted));
  const missing = () => reached.filter((post) => !came(post)).map(({ name }) => name);
  await waitFor(() => missing().length === 0, ARRIVAL_LIMIT_MS, `${label} at ${missing()}`);
}

/** Whatever came in at a post before the answer of its gateway has been reported by then. */
async function settle({ posts }: Arena): Promise<void> {
  await Promise.all(
    posts.map(async ({ name, workload, gateway, watch }) => {
      await waitFor(() => workload.host.ping(gateway), ARRIVAL_LIMIT_MS, `the gateway of ${name}`);
      const ofGateway = ({ frame }: Watched) => frame.subarray(26, 30).equals(bytesOf(gateway));
      await waitFor(() => watch.seen.some(ofGateway), ARRIVAL_LIMIT_MS, `${name}'s own watch`);
    }),
  );
}

/** Judges what has come in since the last time. */
export function judge(arena: Arena, thrower: Post, thrown: ReadonlyMap<string, Thrown>): Breaches {
  const judging: Judging<Post> = { thrower, everybody: arena.posts, may: arena.may };
  const inside = arena.posts.flatMap((post) =>
    post.watch.take().flatMap(({ frame }) => {
      const why = breach(frame, post, judging);
      return why === undefined ? [] : [describe(`${post.name}: ${why}`, frame, thrown)];
    }),
  );
  const outside = [...arena.host.take(), ...arena.bridges.take()].map(({ device, frame }) =>
    describe(`the host took it from ${device}`, frame, thrown),
  );
  return [...inside, ...outside];
}

function describe(why: string, frame: Buffer, thrown: ReadonlyMap<string, Thrown>): string {
  const label = /patchbay-e2e:([^\0]*)\0/.exec(frame.toString("latin1"))?.[1];
  const origin = label === undefined ? undefined : thrown.get(label);
  const was = origin && ` thrown as ${origin.frame.toString("hex")}`;
  return `${why} [${origin?.what ?? label ?? "no mark"}] ${frame.toString("hex")}${was ?? ""}`;
}

function bytesOf(ip: string): Buffer {
  return Buffer.from(ip.split(".").map(Number));
}
