import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { peer } from "../../support/rest.js";
import { bridgesWith, exchangeOf, macOf } from "../e2e/switch-state.js";
import type { Workload } from "../e2e/workload.js";
import { type Site, startWorld, type World } from "../e2e/world.js";
import type { Surroundings } from "./frames-forged.js";
import { hostAddresses } from "./frames-host.js";
import { macOfDevice } from "./frames-link.js";
import type { Ends } from "./frames-oracle.js";
import { Watch } from "./frames-watch.js";

/** A workload, and whatever comes in at it. */
export interface Post extends Ends {
  readonly site: string;
  readonly workload: Workload;
  readonly watch: Watch;
  /** The host's end of its link. */
  readonly port: string;
}

/** Several VPCs with a watch on every workload, on the host, and on the bridges' own devices. */
export interface Arena {
  readonly world: World;
  readonly posts: readonly Post[];
  /** What the host's network stack is handed by any workload's port. */
  readonly host: Watch;
  /** What comes out of the bridges into the host. */
  readonly bridges: Watch;
  readonly exchangeMac: string;
  /** Whether packets of the first may get to the second. */
  may(from: Ends & { readonly site: string }, to: Ends & { readonly site: string }): boolean;
  dispose(): Promise<void>;
}

/** D has A's blocks; E is peered with A but lets nobody in. */
const TALKING = ["ab", "bc", "cd"];

export async function openArena(): Promise<Arena> {
  const world = await startWorld();
  try {
    const posts = await makePosts(await makeSites(world));
    const bridges = await raiseBridges(world);
    const watches = {
      host: await Watch.start(
        null,
        "stack",
        posts.map(({ port }) => port),
      ),
      bridges: await Watch.start(null, "wire", bridges),
    };
    const exchangeMac = await macOf(world.sandbox, await exchangeOf(world.sandbox));
    const dispose = async () => {
      const all = [watches.host, watches.bridges, ...posts.map(({ watch }) => watch)];
      await Promise.all(all.map((watch) => watch.stop()));
      await world.dispose();
    };
    return { world, posts, ...watches, exchangeMac, may, dispose };
  } catch (error) {
    await world.dispose();
    throw error;
  }
}

async function makeSites(world: World): Promise<Site[]> {
  const [a, b, c, d, e] = await Promise.all([
    world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 2 }),
    world.site("b", "10.2.0.0/16", { "10.2.1.0/24": 1 }),
    world.site("c", "10.3.0.0/16", { "10.3.1.0/24": 1 }),
    world.site("d", "10.1.0.0/16", { "10.1.1.0/24": 1 }),
    world.site("e", "10.5.0.0/16", { "10.5.1.0/24": 1 }, undefined, { closed: true }),
  ]);
  for (const [from, to] of [
    [a, b],
    [b, c],
    [c, d],
    [a, e],
  ] as const) {
    await peer(from, to, { accept: true });
  }
  return [a, b, c, d, e];
}

function makePosts(sites: readonly Site[]): Promise<Post[]> {
  const workloads = sites.flatMap((site) => site.workloads);
  return Promise.all(
    workloads.map(async (workload) => {
      const { name, mac, ip, eni, host } = workload;
      await beSilent(workload);
      const router = await workload.routerMac();
      const watch = await Watch.start(host.netns, "wire", ["eth0"]);
      const ends = { name, mac, ip, gateway: eni.gateway, router };
      return { ...ends, site: name.charAt(0), workload, watch, port: host.port };
    }),
  );
}

/** Nothing by IPv6, and answers as they are due: none is held back and sent later. */
async function beSilent({ host }: Workload): Promise<void> {
  await host.exec(
    "sysctl",
    "-qwe",
    "net.ipv6.conf.eth0.disable_ipv6=1",
    "net.ipv4.icmp_ratelimit=0",
  );
}

/** A bridge's own device is down as a rule. Up it shows whether anything would come out of it. */
async function raiseBridges({ sandbox }: World): Promise<string[]> {
  const bridges = await bridgesWith(sandbox, {});
  for (const bridge of bridges) {
    await execa("sysctl", ["-qwe", `net.ipv6.conf.${bridge}.disable_ipv6=1`]);
    await execa("ip", ["link", "set", bridge, "up"]);
  }
  return bridges;
}

function may(from: { readonly site: string }, to: { readonly site: string }): boolean {
  if (from.site === to.site) return true;
  return TALKING.some((pair) => pair.includes(from.site) && pair.includes(to.site));
}

/** What the thrower may have found out of everybody else. */
export async function surroundingsOf(arena: Arena, thrower: Post): Promise<Surroundings> {
  const others = arena.posts.filter((post) => post !== thrower);
  const { mac, ip, gateway, router } = thrower;
  const foreignRouters = new Set(others.map((post) => post.router));
  foreignRouters.delete(router);
  const hostMacs = [macOfDevice(thrower.port), ...others.map(({ port }) => macOfDevice(port))];
  return {
    ...{ mac, ip, gateway, router },
    targets: others.map((post) => post.ip),
    gateways: [...new Set(others.map((post) => post.gateway))],
    macs: others.map((post) => post.mac),
    foreignRouters: [...foreignRouters],
    exchangeMac: arena.exchangeMac,
    hostMacs: await Promise.all(hostMacs),
    hostAddresses: hostAddresses().addresses,
  };
}

/** The process of the switch: another one after a crash. */
export async function switchProcess({ world }: Arena): Promise<string> {
  return readFile(`${world.sandbox.dir}/ovs-vswitchd.pid`, "utf8");
}
