import { afterAll, beforeAll, expect, it } from "vitest";
import type { NetworkInterface, Peering, Rule, SecurityGroup, Vpc } from "../../support/rest.js";
import { waitFor } from "../../support/rest.js";
import { type Held, holdWith, type Station, station } from "../connections.js";
import type { Workload } from "./workload.js";
import { type Site, startWorld, type World } from "./world.js";

const [SSH, WEB, DATABASE] = [22, 80, 5432];
const PORTS = [SSH, WEB, DATABASE];
const SETTLE_LIMIT_MS = 10_000;

/** What each name stands for: two applications, a web server, a database, a stranger's host. */
const NAMES = ["app1", "app2", "web", "db", "far"] as const;
type Name = (typeof NAMES)[number];

const places = new Map<Name, { site: Site; workload: Workload; station: Station }>();
let world: World;
let a: Site;
let b: Site;
let c: Site;
let groups: { app: SecurityGroup; web: SecurityGroup; db: SecurityGroup };
let webFromC: string;
let withA: Peering;

/** A peers with B, B with C. B's web is for all peered, its database for A's app group alone. */
beforeAll(async () => {
  world = await startWorld();
  a = await world.site("a", "10.1.0.0/16", { "10.1.1.0/24": 2 }, undefined, { closed: true });
  b = await world.site("b", "10.2.0.0/16", { "10.2.1.0/24": 2 }, undefined, { closed: true });
  c = await world.site("c", "10.3.0.0/16", { "10.3.1.0/24": 1 }, undefined, { closed: true });
  for (const [name, site, index] of [
    ["app1", a, 0],
    ["app2", a, 1],
    ["web", b, 0],
    ["db", b, 1],
    ["far", c, 0],
  ] as const) {
    const workload = site.workloads[index] as Workload;
    places.set(name, { site, workload, station: await station(workload.host, PORTS) });
  }
  groups = {
    app: await a.tenant.group(a.vpcId, "app"),
    web: await b.tenant.group(b.vpcId, "web"),
    db: await b.tenant.group(b.vpcId, "db"),
  };
  withA = await peered(a, b);
  await peered(b, c);
  await b.tenant.rule(groups.web.id, tcp(WEB, { cidrBlock: "10.1.0.0/16" }));
  webFromC = (await b.tenant.rule(groups.web.id, tcp(WEB, { cidrBlock: "10.3.0.0/16" }))).id;
  await b.tenant.rule(groups.db.id, tcp(DATABASE, { securityGroupId: groups.app.id }));
  await a.tenant.join(at("app1").workload.eni.id, groups.app.id);
  await b.tenant.join(at("web").workload.eni.id, groups.web.id);
  await b.tenant.join(at("db").workload.eni.id, groups.db.id);
});

afterAll(() => world.dispose());

function tcp(port: number, peer: Pick<Rule, "cidrBlock" | "securityGroupId">): Rule {
  return { direction: "ingress", protocol: "tcp", fromPort: port, toPort: port, ...peer };
}

async function peered(from: Site, to: Site): Promise<Peering> {
  const asked = await from.tenant.requestPeering(from.vpcId, to);
  return to.tenant.acceptPeering(asked.id);
}

function at(name: Name) {
  const place = places.get(name);
  if (place === undefined) throw new Error(`nothing is called ${name}`);
  return place;
}

/** `from>to:port` of every pair that connects. */
async function openCells(): Promise<string[]> {
  const rows = await Promise.all(
    NAMES.map(async (from) => {
      const cells = NAMES.filter((to) => to !== from).flatMap((to) =>
        PORTS.map((port) => ({ to, port })),
      );
      const targets = cells.map(({ to, port }) => [at(to).station.ip, port] as const);
      const answers = await at(from).station.reaches(targets);
      return cells.flatMap(({ to, port }, i) => (answers[i] ? [`${from}>${to}:${port}`] : []));
    }),
  );
  return rows.flat().sort();
}

/** The bridges follow within moments: a matrix that stays wrong fails. */
async function expectCells(expected: readonly string[]): Promise<void> {
  const wanted = [...expected].sort();
  await settled();
  expect(await openCells()).toEqual(wanted);
}

/** Waits until the switch has followed everything that was asked so far. */
async function settled(): Promise<void> {
  const behind = async ({ tenant, vpcId }: Site) => {
    const { state } = (await tenant.get<Vpc>(`/vpcs/${vpcId}`)).dataPlane;
    return state !== "programmed";
  };
  const all = async () => (await Promise.all([a, b, c].map(behind))).every((late) => !late);
  await waitFor(all, SETTLE_LIMIT_MS, "the switch to follow");
}

const AT_FIRST = ["app1>web:80", "app2>web:80", "far>web:80", "app1>db:5432"];
/** Once B's own web servers are let in as well. */
const LATER = [...AT_FIRST, "web>db:5432"];

it("opens just the cells that rules open, in just their direction", async () => {
  await expectCells(AT_FIRST);
});

it("follows changes, and connections that are held with it", async () => {
  await b.tenant.rule(groups.db.id, tcp(DATABASE, { securityGroupId: groups.web.id }));
  await expectCells(LATER);
  const held = {
    app1Web: await holdWith(at("app1").workload.host, at("web").station.ip, WEB),
    app1Db: await holdWith(at("app1").workload.host, at("db").station.ip, DATABASE),
    farWeb: await holdWith(at("far").workload.host, at("web").station.ip, WEB),
    webDb: await holdWith(at("web").workload.host, at("db").station.ip, DATABASE),
  };
  const echoing = async () => {
    const names = Object.keys(held) as (keyof typeof held)[];
    const answers = await Promise.all(names.map((name) => (held[name] as Held).echoes()));
    return names.filter((_, index) => answers[index]);
  };
  expect(await echoing()).toEqual(["app1Web", "app1Db", "farWeb", "webDb"]);

  await a.tenant.join(at("app2").workload.eni.id, groups.app.id);
  await a.tenant.join(at("app1").workload.eni.id, (await a.tenant.defaultGroup(a.vpcId)).id);
  await expectCells(LATER.map((cell) => cell.replace("app1>db", "app2>db")));
  expect(await echoing()).toEqual(["app1Web", "farWeb", "webDb"]);

  await b.tenant.call("DELETE", `/security-groups/${groups.web.id}/rules/${webFromC}`);
  await expectCells(["app1>web:80", "app2>web:80", "app2>db:5432", "web>db:5432"]);
  expect(await echoing()).toEqual(["app1Web", "webDb"]);

  await a.tenant.deletePeering(withA.id);
  await expectCells(["web>db:5432"]);
  expect(await echoing()).toEqual(["webDb"]);

  withA = await peered(a, b);
  await expectCells(["app1>web:80", "app2>web:80", "app2>db:5432", "web>db:5432"]);
  for (const each of Object.values(held)) each.end();
});

it("answers what is waited for once it is in force", async () => {
  const wait = "?wait=10";
  const rules = `/security-groups/${groups.web.id}/rules`;
  const fromC = tcp(WEB, { cidrBlock: "10.3.0.0/16" });
  const reaches = async () => {
    const target = [at("web").station.ip, WEB] as const;
    return (await at("far").station.reaches([target]))[0];
  };
  const joining = `/network-interfaces/${at("web").workload.eni.id}${wait}`;
  const join = (id: string) =>
    b.tenant.call<NetworkInterface>("PATCH", joining, { securityGroupIds: [id] });
  for (let round = 0; round < 5; round += 1) {
    const { id } = await b.tenant.call<{ id: string }>("POST", `${rules}${wait}`, fromC);
    expect(await reaches()).toBe(true);
    const held = await holdWith(at("far").workload.host, at("web").station.ip, WEB);
    expect(await b.tenant.send("DELETE", `${rules}/${id}${wait}`)).toEqual([204, undefined]);
    expect([await held.echoes(), await reaches()]).toEqual([false, false]);
    held.end();

    const again = await b.tenant.call<{ id: string }>("POST", `${rules}${wait}`, fromC);
    expect((await join(groups.db.id)).dataPlane.state).toBe("programmed");
    expect(await reaches()).toBe(false);
    await join(groups.web.id);
    expect(await reaches()).toBe(true);
    await b.tenant.call("DELETE", `${rules}/${again.id}${wait}`);
  }
});
