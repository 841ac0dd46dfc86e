import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { eniId, scopeOf, slice, vpcIntent } from "../../support/intents.js";
import { type Host, type HostPool, hostPool } from "../../support/netns.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import {
  ALL_WELL,
  eventually,
  type Installation,
  install,
  newIdentity,
  watched,
} from "./fixture.js";
import { plugInterface } from "./workloads.js";

const VPCS = [vpcIntent(1, 2), vpcIntent(2, 1)];
const EVERYTHING = slice("all", VPCS);
const identity = newIdentity();
const TIMEOUTS = "tcp_established=432000 udp_first=30 udp_multiple=180 udp_single=30";

let sandbox: Sandbox;
let hosts: HostPool;
let installation: Installation;
let first: Host;

beforeAll(async () => {
  sandbox = await startSandbox();
  hosts = hostPool(sandbox);
  installation = await install(sandbox, { identity });
  await installation.reconcile(EVERYTHING);
  first = await plugInterface(hosts, installation, 1, 0);
  await plugInterface(hosts, installation, 2, 0);
});

beforeEach(async () => {
  await watched(installation, 3);
  expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
});

afterAll(async () => {
  await installation.stop();
  await hosts.destroyAll();
  await sandbox.stop();
});

async function zoneOf(side: "called" | "caller"): Promise<number> {
  const key = side === "called" ? "patchbay-ct-zone" : "patchbay-ct-zone-caller";
  const text = await sandbox.vsctl("get", "Interface", first.port, `external_ids:${key}`);
  return Number(/:(\d+)"?$/.exec(text)?.[1]);
}

const limits = () => sandbox.appctl("dpctl/ct-get-limits");
const policies = () => sandbox.vsctl("list-zone-tp", sandbox.datapath);
const column = (...args: string[]) => sandbox.vsctl("--bare", ...args);

/** Does damage, and returns the drift that a plan of the scope in doubt tells of. */
async function driftAfter(damage: () => Promise<unknown>): Promise<string> {
  const before = installation.doubts.length;
  await damage();
  await eventually(() => installation.doubts.length > before);
  const scope = installation.doubts[before] ?? "all";
  const plan = await installation.backend.plan(slice(scope, VPCS), { fresh: false });
  expect(await installation.backend.apply(plan)).toMatchObject(ALL_WELL);
  return plan.drift
    .flatMap(({ settings = [] }) => settings)
    .map(({ object, setting, found, wanted }) => `${object}: ${setting}=${wanted} | ${found}`)
    .join("\n");
}

/** Nothing is told or done twice. */
async function expectRest(): Promise<void> {
  await watched(installation, 3);
  const doubts = installation.doubts.length;
  const plan = await installation.backend.plan(EVERYTHING, { fresh: true });
  expect(plan.drift).toEqual([]);
  expect(installation.doubts.length).toBe(doubts);
}

it("puts a limit right that somebody has deleted or changed, and tells of it once", async () => {
  const zone = await zoneOf("caller");
  const object = `conntrack zone ${zone} (${eniId(1, 0)}, caller): limit=1000`;
  for (const [command, argument, found] of [
    ["dpctl/ct-del-limits", `zone=${zone}`, "unset"],
    ["dpctl/ct-set-limits", `zone=${zone},limit=0`, "0"],
    ["dpctl/ct-set-limits", `zone=${zone},limit=4000000`, "4000000"],
  ] as const) {
    const doubts = installation.doubts.length;
    const drift = await driftAfter(() => sandbox.appctl(command, argument));
    expect(drift).toBe(`${object} | ${found}`);
    expect(installation.doubts[doubts]).toEqual(scopeOf(1));
    expect(await limits()).toContain(`zone=${zone},limit=1000,`);
    await expectRest();
  }
});

it("leaves the default limit and others' zones alone", async () => {
  await sandbox.appctl("dpctl/ct-set-limits", "default=7", "zone=60000,limit=5");
  await expectRest();
  expect(await limits()).toMatch(/default limit=7\n(?:.*\n)*zone=60000,limit=5,/);
  expect(await limits()).toContain(`zone=${await zoneOf("called")},limit=1000,`);
});

it("sets limits and time-outs again after a restart of ovs-vswitchd, and calls that no drift", async () => {
  await sandbox.killVswitchd();
  await sandbox.startAgain();
  await eventually(async () => {
    const plan = await installation.backend
      .plan(EVERYTHING, { fresh: false })
      .catch(() => undefined);
    if (plan === undefined) return false;
    expect(plan.drift).toEqual([]);
    const outcome = await installation.backend.apply(plan);
    return outcome.failedVpcs.size === 0 && outcome.exchangeError === undefined;
  });
  for (const side of ["called", "caller"] as const) {
    const zone = await zoneOf(side);
    expect(await limits()).toContain(`zone=${zone},limit=1000,`);
    expect(await policies()).toContain(`Zone:${zone}, Timeout Policies: ${TIMEOUTS}`);
  }
  await expectRest();
});

it("gives its zones time-outs, and puts these right whatever somebody does to them", async () => {
  const zone = await zoneOf("called");
  const datapath = () => column("--columns=_uuid", "list", "Datapath");
  const own = async (table: string) =>
    column(
      "--columns=_uuid",
      "find",
      table,
      `external_ids:patchbay-installation=${identity.installationId}`,
    );
  const expected = `Zone:${zone}, Timeout Policies: ${TIMEOUTS}`;
  expect(await policies()).toContain(expected);
  for (const damage of [
    async () => sandbox.vsctl("del-zone-tp", sandbox.datapath, `zone=${zone}`),
    async () =>
      sandbox.vsctl(
        "set",
        "CT_Timeout_Policy",
        await own("CT_Timeout_Policy"),
        "timeouts:udp_multiple=9",
      ),
    async () =>
      sandbox.vsctl(
        "set",
        "CT_Timeout_Policy",
        await own("CT_Timeout_Policy"),
        "timeouts:icmp_first=1",
      ),
    async () => sandbox.vsctl("clear", "CT_Zone", await own("CT_Zone"), "timeout_policy"),
    async () => sandbox.vsctl("clear", "Datapath", await datapath(), "ct_zones"),
    async () => sandbox.vsctl("clear", "Open_vSwitch", ".", "datapaths"),
    async () => {
      await sandbox.vsctl(
        ...["--id=@tp", "create", "CT_Timeout_Policy", "timeouts:udp_single=1", "--"],
        ...["--id=@zone", "create", "CT_Zone", "timeout_policy=@tp", "--"],
        ...["remove", "Datapath", await datapath(), "ct_zones", String(zone), "--"],
        ...["set", "Datapath", await datapath(), `ct_zones:${zone}=@zone`],
      );
    },
  ]) {
    expect(await driftAfter(damage), String(damage)).toContain(`time-outs=${TIMEOUTS} | `);
    expect(await policies(), String(damage)).toContain(expected);
    await expectRest();
  }
  expect((await policies()).trim().split("\n")).toHaveLength(4);
});

it("keeps what others have in the same tables, and takes no zone of theirs", async () => {
  await sandbox.vsctl("add-zone-tp", sandbox.datapath, "zone=6", "icmp_first=5");
  const late = await plugInterface(hosts, installation, 1, 1);
  await installation.reconcile(EVERYTHING);
  const ids = await sandbox.vsctl("get", "Interface", late.port, "external_ids");
  expect(ids).not.toMatch(/ct-zone[^,]*:6"?[,}]/);
  expect(await policies()).toContain("Zone:6, Timeout Policies: icmp_first=5");
  await late.destroy();
  await eventually(() => installation.backend.binding(eniId(1, 1)).kind === "unbound");
  await installation.reconcile(EVERYTHING);
  await installation.stop();
  // Zones of who is gone lose their entries when there is something to write anyway.
  installation = await install(sandbox, {
    identity,
    timeouts: { tcpEstablished: 60, udpStream: 50, udpSingle: 40 },
  });
  await installation.reconcile(EVERYTHING);
  expect((await policies()).trim().split("\n")).toHaveLength(5);
  expect(await policies()).toContain("Zone:6, Timeout Policies: icmp_first=5");
  expect(await policies()).toContain(
    "tcp_established=60 udp_first=40 udp_multiple=50 udp_single=40",
  );
  expect(await policies()).not.toContain("432000");
  await sandbox.vsctl("del-zone-tp", sandbox.datapath, "zone=6");
});

it("tells how many connections an interface has, of those it may have", async () => {
  const { backend } = installation;
  await backend.plan(EVERYTHING, { fresh: true });
  const use = { count: 0, limit: 1000 };
  expect(await backend.connections(eniId(2, 0))).toEqual({ caller: use, called: use });
  expect(await backend.connections(eniId(1, 1))).toBeNull();
  expect(await backend.connections("eni-unknown")).toBeNull();
  expect(backend.fullInterfaces()).toEqual({ caller: 0, called: 0 });
});
