#!/usr/bin/env node
// Prints whether the time of an answer tells what is another tenant's from what is nobody's, and a key
// that exists from one that does not.
// Usage: [DATABASE_URL=postgresql://…] node scripts/bench-secrets.mjs [RUNS]     (build first)
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { newAccessKeyId } from "../dist/domain/ids.js";
import { BenchDaemon } from "./lib/bench-daemon.mjs";
import { median, table, timed } from "./lib/bench-figures.mjs";
import { makeDatabase } from "./lib/bench-postgres.mjs";
import { runBench, withUndo } from "./lib/bench-run.mjs";
import { makeTenant } from "./lib/bench-tenant.mjs";
import { bold, out } from "./lib/terminal.mjs";

const runs = Number(process.argv[2] ?? 400);
const WARM_UP = 20;

/** Something of every kind that others' calls may name. */
async function makeWorld(url) {
  const { call, token } = await makeTenant(url);
  const vpc = await call("POST", "/vpcs", { cidrBlock: "10.0.0.0/16" });
  const subnet = await call("POST", "/subnets", { vpcId: vpc.id, cidrBlock: "10.0.0.0/24" });
  const eni = await call("POST", "/network-interfaces", { subnetId: subnet.id });
  const { items } = await call("GET", `/route-tables?vpcId=${vpc.id}`);
  return { token, vpc: vpc.id, subnet: subnet.id, eni: eni.id, table: items[0].id };
}

/** The same question about what is others', and about what is nobody's. */
function questions({ token: known, ...others }, token) {
  const nobodys = (id) => id.replace(/-.*/, `-${randomBytes(9).toString("hex").slice(0, 17)}`);
  const about = (name, ask, id) => ({
    name,
    theirs: () => ({ token, ...ask(id) }),
    nobodys: () => ({ token, ...ask(nobodys(id)) }),
  });
  const whoami = { method: "GET", path: "/whoami" };
  return [
    {
      name: "a key: wrong secret, unknown",
      theirs: () => ({ ...whoami, token: `${known}x` }),
      nobodys: () => ({ ...whoami, token: `${newAccessKeyId()}.${known.split(".")[1]}x` }),
    },
    about("show a VPC", (id) => ({ method: "GET", path: `/vpcs/${id}` }), others.vpc),
    about("delete a VPC", (id) => ({ method: "DELETE", path: `/vpcs/${id}` }), others.vpc),
    about("show a subnet", (id) => ({ method: "GET", path: `/subnets/${id}` }), others.subnet),
    about(
      "show an interface",
      (id) => ({ method: "GET", path: `/network-interfaces/${id}` }),
      others.eni,
    ),
    about(
      "delete a route table",
      (id) => ({ method: "DELETE", path: `/route-tables/${id}` }),
      others.table,
    ),
    about("list by a VPC", (id) => ({ method: "GET", path: `/subnets?vpcId=${id}` }), others.vpc),
  ];
}

function ask(url, { method, path, token }) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const call = request(`${url}/v1${path}`, { method, headers }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode));
    });
    call.once("error", reject).end();
  });
}

/** The two take turns, so that both meet whatever else the machine does. */
async function compare(url, { name, theirs, nobodys }, signal) {
  const ms = { theirs: [], nobodys: [] };
  for (let i = 0; i < WARM_UP + runs; i += 1) {
    signal.throwIfAborted();
    const first = await timed(() => ask(url, theirs()));
    const second = await timed(() => ask(url, nobodys()));
    if (first.value !== second.value) throw new Error(`${name}: ${first.value}, ${second.value}`);
    if (i < WARM_UP) continue;
    ms.theirs.push(first.ms);
    ms.nobodys.push(second.ms);
  }
  const [a, b] = [median(ms.theirs), median(ms.nobodys)];
  return [name, a.toFixed(3), b.toFixed(3), (a / b).toFixed(3)];
}

await runBench((signal) =>
  withUndo(async (undo) => {
    const { engine, databaseUrl, dataDir, remove } = await makeDatabase();
    undo.add(remove);
    const database = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl };
    const settings = { PATCHBAY_DATA_DIR: dataDir, PATCHBAY_BACKEND: "noop", ...database };
    const daemon = new BenchDaemon(settings, signal);
    undo.add(() => daemon.stop());
    const url = await daemon.start();
    const others = await makeWorld(url);
    const { token } = await makeTenant(url);
    out(bold(`${engine}, medians of ${runs} runs in turn, milliseconds\n`));
    const rows = [["", "others'", "nobody's", "ratio"]];
    for (const question of questions(others, token)) {
      rows.push(await compare(url, question, signal));
    }
    table(rows);
  }),
);
