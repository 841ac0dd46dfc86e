import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Plan } from "../../../src/backends/backend.js";
import type { SettingDrift } from "../../../src/domain/data-plane.js";
import { eniId, peeringIntent, scopeOf, slice, vpcIntent } from "../../support/intents.js";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";
import { ALL_WELL, eventually, type Installation, install, watched } from "./fixture.js";

const PEERING = peeringIntent(1, 1, 2);
const VPCS = [vpcIntent(1, 2), vpcIntent(2, 1)];
const EVERYTHING = slice("all", VPCS, [PEERING]);
const ENI = eniId(1);

let sandbox: Sandbox;
let installation: Installation;
let plugged: string;
let neighbour: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  installation = await install(sandbox);
  expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
  plugged = uniqueName("pg");
  neighbour = uniqueName("pn");
  for (const [name, id] of [
    [plugged, ENI],
    [neighbour, eniId(2)],
  ] as const) {
    const settings = ["type=internal", `external_ids:iface-id=${id}`];
    const bridge = installation.names.vpcBridge(1);
    await sandbox.vsctl("add-port", bridge, name, "--", "set", "Interface", name, ...settings);
    await sandbox.run("ip", ["link", "set", name, "up"]);
  }
});

beforeEach(async () => {
  await watched(installation, 3);
  expect(await installation.reconcile(EVERYTHING, true)).toMatchObject(ALL_WELL);
  expect(corrected(await compare())).toEqual([]);
});

afterAll(async () => {
  await installation?.stop();
  await sandbox?.stop();
});

function compare(): Promise<Plan> {
  return installation.backend.plan(EVERYTHING, { fresh: true });
}

function settingsOf({ diffs }: Pick<Plan, "diffs">): SettingDrift[] {
  return diffs.flatMap(({ settings }) => settings);
}

function corrected(plan: Pick<Plan, "diffs">): SettingDrift[] {
  return settingsOf(plan).filter(({ wanted }) => wanted !== null);
}

function reported(plan: Pick<Plan, "diffs">): SettingDrift[] {
  return settingsOf(plan).filter(({ wanted }) => wanted === null);
}

async function doubted(change: () => Promise<unknown>): Promise<void> {
  const before = installation.doubts.length;
  await change();
  await eventually(() => installation.doubts.length > before);
}

interface Damage {
  readonly what: string;
  readonly where: () => string[];
  readonly change: readonly string[];
}

function on(what: string, where: () => string[], ...change: string[]): Damage {
  return { what, where, change };
}

const bridge = () => ["Bridge", installation.names.vpcBridge(1)];
const exchange = () => ["Bridge", installation.names.exchange];
const uplink = () => ["Port", installation.names.uplink(1)];
const downlink = () => ["Port", installation.names.downlink(1)];
const local = () => ["Port", installation.names.vpcBridge(1)];
const plug = () => ["Port", plugged];

const PUT_RIGHT: readonly Damage[] = [
  on("a VPC's bridge", bridge, "protocols=OpenFlow13"),
  on("the exchange", exchange, "protocols=OpenFlow10,OpenFlow13"),
  on("a VPC's bridge", bridge, "stp_enable=true"),
  on("the exchange", exchange, "rstp_enable=true"),
  on("the exchange", exchange, "mcast_snooping_enable=true"),
  on("a VPC's bridge", bridge, "other_config:disable-in-band=false"),
  on("an uplink", uplink, "tag=7"),
  on("a port on the exchange", downlink, "trunks=5,6", "vlan_mode=native-tagged"),
  on("a bridge's own port", local, "tag=7"),
  on("an uplink", uplink, "protected=true", "other_config:stp-path-cost=5"),
  on("a port that is plugged in", plug, "tag=7", "vlan_mode=dot1q-tunnel", "cvlans=9"),
];

describe("what another tool sets is put right", () => {
  it.each(PUT_RIGHT)("on $what: $change", async ({ where, change }) => {
    await doubted(() => sandbox.vsctl("set", ...where(), ...change));
    const plan = await compare();
    const [, name] = where();
    const found = corrected(plan).filter(({ object }) => object.endsWith(` ${name}`));
    expect(found.map(({ setting }) => setting).sort()).toEqual(
      change.map((each) => each.split("=")[0]).sort(),
    );
    expect(plan.drift.flatMap(({ settings }) => settings)).toEqual(corrected(plan));
    expect(await installation.backend.apply(plan)).toMatchObject(ALL_WELL);
    const { diffs } = await compare();
    expect(corrected({ diffs })).toEqual([]);
    for (const { missing, error } of diffs) expect([missing, error]).toEqual([[], null]);
  });

  it("a controller goes, and the flows that its coming and going flushed are back", async () => {
    for (const name of [installation.names.vpcBridge(1), installation.names.exchange]) {
      await doubted(() => sandbox.vsctl("set-controller", name, "tcp:127.0.0.1:16633"));
      expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
      expect(await sandbox.vsctl("get-controller", name)).toBe("");
      const { diffs } = await compare();
      expect(diffs.flatMap(({ missing }) => missing)).toEqual([]);
      expect(await sandbox.ofctl("dump-flows", name)).toMatch(/actions=/);
    }
  });

  it("what an emergency reset clears is there again", async () => {
    await doubted(() => sandbox.vsctl("emer-reset"));
    expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
    const { names } = installation;
    for (const name of [names.vpcBridge(1), names.vpcBridge(2), names.exchange]) {
      expect(await sandbox.vsctl("get-fail-mode", name)).toBe("secure");
    }
    const { diffs } = await compare();
    expect(diffs.flatMap(({ missing }) => missing)).toEqual([]);
  });

  it("marks that were cleared are written again, and nothing is taken for somebody else's", async () => {
    const { names } = installation;
    for (const [table, name] of [
      ["Bridge", names.vpcBridge(1)],
      ["Bridge", names.exchange],
      ["Port", names.uplink(1)],
      ["Port", names.downlink(1)],
      ["Interface", names.uplink(1)],
    ] as const) {
      await doubted(() => sandbox.vsctl("clear", table, name, "external_ids"));
      expect(await installation.reconcile(EVERYTHING), name).toMatchObject(ALL_WELL);
      expect(await sandbox.vsctl("get", table, name, "external_ids")).toContain("patchbay-role");
    }
    for (const key of ["patchbay-vpc", "patchbay-role"]) {
      const bridge = names.vpcBridge(1);
      await doubted(() => sandbox.vsctl("remove", "Bridge", bridge, "external_ids", key));
      expect(await installation.reconcile(EVERYTHING), key).toMatchObject(ALL_WELL);
      expect(await sandbox.vsctl("get", "Bridge", bridge, "external_ids")).toContain(key);
    }
  });
});

describe("a port of ours that was moved", () => {
  it.each([
    ["to another VPC's bridge", () => installation.names.vpcBridge(2)],
    ["to the exchange", () => installation.names.exchange],
  ])("%s is made anew where it belongs", async (_where, to) => {
    const { names } = installation;
    const name = names.uplink(1);
    const uuid = await sandbox.vsctl("get", "Port", name, "_uuid");
    const remove = ["remove", "Bridge", names.vpcBridge(1), "ports", uuid];
    await sandbox.vsctl(...remove, "--", "add", "Bridge", to(), "ports", uuid);
    await eventually(async () => {
      await installation.reconcile(EVERYTHING);
      return (await sandbox.vsctl("port-to-br", name)) === names.vpcBridge(1);
    });
    expect(await installation.reconcile(EVERYTHING)).toMatchObject(ALL_WELL);
    expect(corrected(await compare())).toEqual([]);
  });

  it("is ours without its marks, as long as it leads to its peer", async () => {
    const name = installation.names.uplink(1);
    const clear = (table: string) => ["clear", table, name, "external_ids"];
    await sandbox.vsctl(...clear("Port"), "--", ...clear("Interface"));
    await eventually(async () => {
      await installation.reconcile(EVERYTHING);
      return (await sandbox.vsctl("get", "Port", name, "external_ids")).includes("patchbay");
    });
    expect(corrected(await compare())).toEqual([]);
  });
});

it("what was changed while nobody watched is put right at the start", async () => {
  const { identity, names } = installation;
  await installation.stop();
  await sandbox.vsctl("set", "Bridge", names.exchange, "rstp_enable=true", "protocols=OpenFlow12");
  await sandbox.vsctl("set-controller", names.vpcBridge(1), "tcp:127.0.0.1:16633");
  await sandbox.vsctl("set", "Port", plugged, "tag=7");
  installation = await install(sandbox, { identity });
  const plan = await compare();
  const found = corrected(plan).map(({ setting }) => setting);
  expect(found.sort()).toEqual(["controller", "protocols", "rstp_enable", "tag"]);
  expect(await installation.backend.apply(plan)).toMatchObject(ALL_WELL);
  const { diffs } = await compare();
  expect(diffs.flatMap(({ missing, settings }) => [...missing, ...settings])).toEqual([]);
});

it("a remote manager makes no hidden flows on our bridges, not even for a moment", async () => {
  await sandbox.vsctl("set-manager", "tcp:10.9.9.9:6640");
  try {
    for (const name of [installation.names.vpcBridge(1), installation.names.exchange]) {
      expect(await sandbox.appctl("bridge/dump-flows", name)).not.toContain("10.9.9.9");
    }
  } finally {
    await sandbox.vsctl("del-manager");
  }
});

const QOS = ["--", "--id=@new", "create", "QoS", "type=linux-noop"];
const MIRROR = ["--", "--id=@new", "create", "Mirror", "name=tap", "select_all=true"];
const NETFLOW = ["--", "--id=@new", "create", "NetFlow", 'targets="127.0.0.1:2055"'];
const SFLOW = ["--", "--id=@new", "create", "sFlow", 'targets="127.0.0.1:6343"'];
const TABLE = ["--", "--id=@new", "create", "Flow_Table", "flow_limit=1000000"];

const REPORTED: readonly Damage[] = [
  on("the exchange", exchange, "other_config:forward-bpdu=true"),
  on("a VPC's bridge", bridge, "other_config:hwaddr=02:00:00:00:77:01"),
  on("a VPC's bridge", bridge, "mirrors=@new", ...MIRROR),
  on("the exchange", exchange, "netflow=@new", ...NETFLOW),
  on("the exchange", exchange, "sflow=@new", ...SFLOW),
  on("a VPC's bridge", bridge, "flow_tables:3=@new", ...TABLE),
  on("a VPC's bridge", bridge, "flood_vlans=5"),
  on("a port that is plugged in", plug, "qos=@new", ...QOS),
  on("a port that is plugged in", plug, "protected=true"),
  on("a port that is plugged in", () => ["Interface", plugged], "ingress_policing_rate=1000"),
  on("a port that is plugged in", () => ["Interface", plugged], "lldp:enable=true"),
  on("the host", () => ["Open_vSwitch", "."], "other_config:max-idle=20000"),
];

it.each(REPORTED)(
  "what is not ours to change is reported on $what: $change",
  async ({ where, change }) => {
    const [setting = ""] = (change[0] ?? "").split("=");
    const [column = "", key] = setting.split(":");
    await doubted(() => sandbox.vsctl("set", ...where(), ...change));
    const plan = await compare();
    expect(reported(plan)).toMatchObject([{ setting, wanted: null }]);
    expect(plan.drift).toEqual([]);
    const outcome = await installation.backend.apply(plan);
    expect(outcome).toMatchObject(ALL_WELL);
    expect(reported({ diffs: outcome.bridges })).toHaveLength(1);
    expect(await sandbox.vsctl("get", ...where(), column)).toContain(key ?? "");
    await doubted(() => sandbox.vsctl(...undo(where(), column, key)));
    expect(settingsOf(await compare())).toEqual([]);
  },
);

function undo(where: string[], column: string, key: string | undefined): string[] {
  if (key !== undefined) return ["remove", ...where, column, key];
  if (column === "protected") return ["set", ...where, "protected=false"];
  if (column.startsWith("ingress_policing")) return ["set", ...where, `${column}=0`];
  return ["clear", ...where, column];
}

it("an interface whose packets a reported setting stops says so while it does", async () => {
  await eventually(() => hindrance() === undefined);
  await sandbox.vsctl("set", "Port", plugged, "protected=true");
  await sandbox.vsctl("set", "Port", neighbour, "protected=true");
  await eventually(() => /protected/.test(hindrance() ?? ""));
  await sandbox.vsctl("set", "Port", neighbour, "protected=false");
  await eventually(() => hindrance() === undefined);
  await sandbox.vsctl("set", "Port", plugged, "protected=false");
  await sandbox.vsctl("set", "Interface", plugged, "mtu_request=400");
  await eventually(() => /MTU of 400/.test(hindrance() ?? ""));
  // What nobody asks for any more the switch need not give back: so another is asked for first.
  await sandbox.vsctl("set", "Interface", plugged, "mtu_request=1500");
  await eventually(() => hindrance() === undefined);
  await sandbox.vsctl("clear", "Interface", plugged, "mtu_request");
  expect(settingsOf(await compare())).toEqual([]);
});

function hindrance(): string | undefined {
  const binding = installation.backend.binding(ENI);
  return binding.kind === "bound" ? binding.hindrance : binding.kind;
}

describe("a report leaves nothing out", () => {
  it("names what is missing, and tells of what was done in the end", async () => {
    const name = installation.names.vpcBridge(2);
    await doubted(() => sandbox.vsctl("del-br", name));
    const plan = await installation.backend.plan(EVERYTHING, { fresh: true });
    const missing = { setting: "existence", found: "absent", wanted: "present" };
    expect(corrected(plan)).toContainEqual({ ...missing, object: `bridge ${name}` });
    expect(corrected(plan)).toContainEqual({
      ...missing,
      object: `port ${installation.names.uplink(2)}`,
    });
    const outcome = await installation.backend.apply(plan);
    const done = outcome.bridges.find(({ bridge: each }) => each === name);
    expect(done?.missing.join("\n")).toContain(`in_port=`);
    expect(done?.error).toBeNull();
  });

  it("names bridges that cannot be looked at, with the reason", async () => {
    const name = installation.names.vpcBridge(1);
    await sandbox.vsctl("set", "Bridge", name, "protocols=OpenFlow13");
    await eventually(async () => corrected(await compare()).length > 0);
    const { diffs } = await compare();
    expect(diffs.map((each) => each.bridge)).toContain(name);
    const found = diffs.find((each) => each.bridge === name);
    expect(found?.error).toContain(`bridge ${name}`);
    expect(found?.unread).toBe(true);
    const scoped = await installation.reconcile(slice(scopeOf(1), VPCS, [PEERING]));
    expect(scoped).toMatchObject(ALL_WELL);
  });

  it("names a bridge of somebody else that has the name it needs", async () => {
    const name = installation.names.vpcBridge(3);
    await sandbox.addBridge(name);
    const three = slice("all", [...VPCS, vpcIntent(3, 1)], [PEERING]);
    const plan = await installation.backend.plan(three, { fresh: true });
    const found = plan.diffs.find((each) => each.bridge === name);
    expect(found?.error).toMatch(/does not belong to this installation/);
    const outcome = await installation.backend.apply(plan);
    expect(outcome.bridges.find((each) => each.bridge === name)?.error).toMatch(/does not belong/);
    await sandbox.vsctl("del-br", name);
  });
});

it("the flows of a bridge are watched again as soon as its protocols are right", async () => {
  const name = installation.names.vpcBridge(1);
  await sandbox.vsctl("set", "Bridge", name, "protocols=OpenFlow13");
  await watched(installation, 2);
  // The switch may end a connection before the database has told why; then it raises doubt again.
  await eventually(async () => {
    await installation.reconcile(EVERYTHING);
    return installation.backend.watchedBridges() === 3;
  });
  expect(corrected(await compare())).toEqual([]);
});
