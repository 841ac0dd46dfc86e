import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, run, sleep } from "../lib/process.mjs";
import { startService } from "../lib/services.mjs";
import { until } from "../lib/until.mjs";
import { Nbctl } from "./nbctl.mjs";
import { vsctl } from "./place.mjs";

const SCHEMAS = "/usr/share/ovn";

/**
 * Starts all of OVN beside a private switch: two databases, ovn-northd, ovn-controller, and
 * ovn-nbctl as a daemon. Nothing of a system instance is touched.
 * @returns {Promise<{ services: object[], nbctl: Nbctl }>}
 */
export async function startOvn(place) {
  const { dir, undo } = place;
  const env = { OVN_RUNDIR: dir, OVN_LOGDIR: dir, OVN_DBDIR: dir, OVS_RUNDIR: place.switchDir };
  const services = [];
  const start = (name, program, args) => {
    const log = join(dir, `${name.replace(" ", "-")}.log`);
    services.push(startService(name, program, args, { env, log, undo }));
  };
  for (const database of ["nb", "sb"]) await startDatabase(dir, database, start);
  await socketsOf(dir, ["nb.sock", "sb.sock"], services);
  const remotes = ["nb", "sb"].map((name) => `--ovn${name}-db=unix:${dir}/${name}.sock`);
  start("ovn-northd", "ovn-northd", [`--unixctl=${dir}/northd.ctl`, ...QUIET, ...remotes]);
  await pointSwitchAt(place);
  start("ovn-controller", "ovn-controller", [...QUIET, place.ovsdb]);
  services.push(await startNbctl(dir, env, undo));
  const nbctl = await Nbctl.connect(`${dir}/nbctl.ctl`);
  undo.add(() => nbctl.close());
  await ready(nbctl, services);
  return { services, nbctl };
}

/** Warnings only: OVN shall not pay for writing a log that nobody reads. */
const QUIET = ["-vsyslog:off", "-vconsole:warn"];

async function startDatabase(dir, name, start) {
  const file = join(dir, `${name}.db`);
  await run("ovsdb-tool", ["create", file, join(SCHEMAS, `ovn-${name}.ovsschema`)]);
  const sockets = [`--unixctl=${dir}/${name}.ctl`, `--remote=punix:${dir}/${name}.sock`];
  start(`ovsdb-server ${name}`, "ovsdb-server", [...sockets, ...QUIET, file]);
}

function socketsOf(dir, names, services) {
  const all = () => names.every((name) => existsSync(join(dir, name)));
  return until(`${names.join(", ")} are there`, all, { services, limitMs: 20_000 });
}

/**
 * Makes the switch a chassis. Probes are off: with everything on one machine a peer that is busy
 * for some seconds is not gone, and to reconnect would make OVN begin anew.
 */
function pointSwitchAt(place) {
  const settings = {
    "ovn-remote": `unix:${place.dir}/sb.sock`,
    "ovn-encap-type": "geneve",
    "ovn-encap-ip": "127.0.0.1",
    "ovn-bridge-datapath-type": place.datapath,
    "ovn-openflow-probe-interval": "0",
    "ovn-remote-probe-interval": "0",
  };
  const words = Object.entries(settings).map(([key, value]) => `external-ids:${key}="${value}"`);
  return vsctl(place, ["--no-wait", "set", "Open_vSwitch", ".", ...words]);
}

/** It becomes a daemon by itself (the only way it takes commands), so it is found by its pid file. */
async function startNbctl(dir, env, undo) {
  const pidFile = join(dir, "nbctl.pid");
  const args = [`--db=unix:${dir}/nb.sock`, "--detach", `--pidfile=${pidFile}`];
  await undo.make(
    () => run("ovn-nbctl", [...args, `--unixctl=${dir}/nbctl.ctl`], { env, limitMs: 20_000 }),
    () => endNbctl(pidFile),
  );
  const pid = Number(readFileSync(pidFile, "utf8"));
  const check = () => {
    if (!isAlive(pid)) throw new Error("ovn-nbctl's daemon has ended");
  };
  return { name: "ovn-nbctl", pid, check, detached: true };
}

async function endNbctl(pidFile) {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8"));
  for (let turn = 0; turn < 50 && isAlive(pid); turn += 1) {
    process.kill(pid, "SIGTERM");
    await sleep(50);
  }
}

/** A chassis must have registered before `--wait=hv` means anything: without one it waits for none. */
async function ready(nbctl, services) {
  const registered = async () => {
    await nbctl.run([["sync"]], { wait: "hv" });
    const cfg = await nbctl.run([["get", "NB_Global", ".", "hv_cfg"]]);
    return Number(cfg) > 0;
  };
  await until("ovn-controller has registered", registered, { services, limitMs: 30_000 });
}
