import { mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { admitEverybody } from "../lib/admit-everybody.mjs";
import { benchSettings } from "../lib/bench-daemon.mjs";
import { makeTenant } from "../lib/bench-tenant.mjs";
import { ApiError } from "../lib/client.mjs";
import { probe } from "../lib/daemon.mjs";
import { freePort } from "../lib/free-port.mjs";
import { ROOT } from "../lib/process.mjs";
import { startService } from "../lib/services.mjs";
import { until } from "../lib/until.mjs";
import { makePlace, switchProcesses } from "./place.mjs";
import { neighbourPlan, vpcPlan } from "./plan.mjs";
import { plugIn } from "./ports.mjs";

/** Clients that ask at once where many things are made; where there is one processor a few suffice. */
const CLIENTS = cpus().length > 1 ? 16 : 2;
const MOST_PER_PAGE = 1000;
/** In a guest on a busy machine a program may take a minute to be loaded. */
const READY_LIMIT_MS = 300_000;

/**
 * Our side: a private switch, the daemon, one tenant.
 * @param {string} [databaseUrl] default: an embedded database
 */
export async function startPatchbay(bench, databaseUrl = "") {
  const place = await makePlace(bench, `${bench.round}p`);
  const listen = `127.0.0.1:${await freePort()}`;
  const url = `http://${listen}`;
  const daemon = startService("patchbay", process.execPath, [join(ROOT, "dist/main.js")], {
    env: { ...settings(place, listen), DATABASE_URL: databaseUrl },
    log: join(place.dir, "patchbay.log"),
    undo: bench.undo,
  });
  await until("Patchbay is ready", async () => (await probe(url, "/readyz")) === 200, {
    services: [daemon],
    limitMs: READY_LIMIT_MS,
  });
  const { call } = await makeTenant(url);
  await warmUp(call);
  return new PatchbaySide(place, daemon, call, url);
}

/**
 * The first change of a process takes many times as long as the others: on a slow machine longer than
 * the daemon lets a transaction take.
 */
async function warmUp(call) {
  const made = async () => {
    try {
      const { id } = await call("POST", "/vpcs", { cidrBlock: vpcPlan(0).block });
      await call("DELETE", `/vpcs/${id}`);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === "DatabaseTimeout") return false;
      throw error;
    }
  };
  await until("a VPC is made", made);
}

function settings(place, listen) {
  const data = join(place.dir, "data");
  mkdirSync(data, { mode: 0o700 });
  return benchSettings({
    PATCHBAY_BACKEND: "ovs",
    PATCHBAY_OVSDB: place.ovsdb,
    PATCHBAY_OVS_RUNDIR: place.switchDir,
    PATCHBAY_DATAPATH: place.datapath,
    PATCHBAY_LISTEN: listen,
    PATCHBAY_DATA_DIR: data,
    PATCHBAY_QUOTA_PENDING_REQUESTS_PER_TENANT: "100000",
    PATCHBAY_QUOTA_LIVE_PEERINGS_PER_VPC: "1000",
  });
}

class PatchbaySide {
  name = "Patchbay";
  key = "patchbay";
  place;
  /** Whether this daemon has security groups, and so judges every packet by conntrack. */
  stateful = false;
  #daemon;
  /** Calls the daemon as the tenant. */
  call;
  #url;
  #vpcs = [];

  constructor(place, daemon, call, url) {
    this.place = place;
    this.#daemon = daemon;
    this.call = call;
    this.#url = url;
  }

  processes() {
    return [{ name: "patchbay", pid: this.#daemon.pid }, ...switchProcesses(this.place)];
  }

  /** Makes VPCs until there are `count`, each with a bound port. @returns the new workloads */
  async grow(count, probes) {
    const indexes = Array.from({ length: count }, (_, index) => index).slice(this.#vpcs.length);
    const limited = pLimit(CLIENTS);
    const made = await Promise.all(indexes.map((i) => limited(() => this.#makeVpc(vpcPlan(i)))));
    this.#vpcs.push(...made);
    await this.#untilAll("/vpcs", (vpc) => vpc.dataPlane.state === "programmed");
    const ports = made.map((each) => ({ ...portOf(each), probe: each.plan.index < probes }));
    const workloads = await plugIn(this.place, ports);
    await this.#untilAll("/network-interfaces", isBound);
    return workloads;
  }

  /** Asks and accepts. @returns the peering and the milliseconds of the accept alone */
  async peer([a, b]) {
    const body = this.#ends([a, b]);
    const { id } = await this.call("POST", "/vpc-peerings", body);
    const start = performance.now();
    const { state } = await this.call("POST", `/vpc-peerings/${id}/accept?wait=30`);
    const acceptMs = performance.now() - start;
    if (state !== "active") throw new Error(`peering ${id} is ${state} after accept?wait=30`);
    return { id, acceptMs };
  }

  /** One more interface in a VPC, the `number`th. @returns its workload */
  async addNeighbour(index, number = 0) {
    const port = await this.newPort(index, number);
    const [workload] = await plugIn(this.place, [port]);
    const bound = async () =>
      isBound(await this.call("GET", `/network-interfaces/${port.ifaceId}`));
    await until(`${port.ifaceId} is bound`, bound, this.#watch());
    return workload;
  }

  /** The same, but what is to be plugged in is only described. */
  async newPort(index, number) {
    const plan = neighbourPlan(index, number);
    const { vpc, subnet } = this.#vpcs[index];
    const eni = await this.#makeInterface(subnet.id, plan);
    return { ...portOf({ plan, vpc, eni }), probe: true };
  }

  /** @returns {Promise<Record<string, number>>} the daemon's metrics of these names */
  async metrics(...names) {
    const text = await (await fetch(`${this.#url}/metrics`)).text();
    const value = (name) => Number(new RegExp(`^patchbay_${name} (\\S+)$`, "m").exec(text)?.[1]);
    return Object.fromEntries(names.map((name) => [name, value(name)]));
  }

  async unpeer({ id }) {
    const { state } = await this.call("DELETE", `/vpc-peerings/${id}?wait=30`);
    if (state !== "deleted") throw new Error(`peering ${id} is ${state} after delete?wait=30`);
  }

  /** Every pair asked for and accepted as fast as some clients can, until the switch has them all. */
  async mesh(pairs) {
    const limited = pLimit(CLIENTS);
    await Promise.all(pairs.map((pair) => limited(() => this.#ask(pair))));
    const none = async () =>
      (await this.call("GET", "/vpc-peerings?state=provisioning&limit=1")).items.length === 0;
    await until("no peering is provisioning", none, { ...this.#watch(), limitMs: 1_800_000 });
    const active = await this.#all("/vpc-peerings?state=active&");
    if (active.length !== pairs.length) {
      throw new Error(`${active.length} of ${pairs.length} peerings of the mesh are active`);
    }
  }

  async #ask([a, b]) {
    const body = this.#ends([a, b]);
    const { id } = await this.call("POST", "/vpc-peerings", body);
    await this.call("POST", `/vpc-peerings/${id}/accept`);
  }

  #ends([a, b]) {
    return { requesterVpcId: this.#vpcs[a].vpc.id, accepterVpcId: this.#vpcs[b].vpc.id };
  }

  async #makeVpc(plan) {
    const body = { name: `bench ${plan.index}`, cidrBlock: plan.block };
    const vpc = await this.call("POST", "/vpcs", body);
    this.stateful = await admitEverybody(this.call, vpc.id);
    const subnetBody = { vpcId: vpc.id, cidrBlock: plan.subnet };
    const subnet = await this.call("POST", "/subnets", subnetBody);
    const eni = await this.#makeInterface(subnet.id, plan);
    return { plan, vpc, subnet, eni };
  }

  #makeInterface(subnetId, { address }) {
    return this.call("POST", "/network-interfaces", { subnetId, privateIp: address });
  }

  async #untilAll(path, condition) {
    const what = `all of ${path} are programmed`;
    const all = async () => (await this.#all(`${path}?`)).every(condition);
    await until(what, all, { ...this.#watch(), limitMs: 300_000 });
  }

  async #all(path) {
    const found = [];
    let cursor = "";
    do {
      const page = await this.call("GET", `${path}limit=${MOST_PER_PAGE}${cursor}`);
      found.push(...page.items);
      cursor = page.nextCursor && `&cursor=${encodeURIComponent(page.nextCursor)}`;
    } while (cursor);
    return found;
  }

  #watch() {
    return { services: [this.#daemon], everyMs: 100 };
  }
}

function portOf({ plan, vpc, eni }) {
  return { plan, bridge: vpc.bridge, ifaceId: eni.id, mac: eni.macAddress };
}

const isBound = ({ state, dataPlane }) => state === "in-use" && dataPlane.state === "programmed";
