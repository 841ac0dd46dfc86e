import { execa } from "execa";
import { only, type Scene } from "../e2e/resilience-scene.js";
import { uplinkOf } from "../e2e/switch-state.js";

/** Something that an operator does to the switch by the usual tools, by mistake or not knowing. */
export interface Mishap {
  readonly what: string;
  /** Left to the long form: one like it is in the short one. */
  readonly long?: true;
  cause(scene: Scene): Promise<unknown>;
  /** What it changed that the daemon may not touch. */
  readonly reported?: string;
  /** Takes away what the daemon may not touch. */
  undo?(scene: Scene): Promise<unknown>;
}

type Vsctl = (scene: Scene) => string[] | Promise<string[]>;

const exchange = ({ exchange }: Scene) => exchange;
const bridge = ({ a }: Scene) => a.vpc.bridge;
const uplink = ({ world, a }: Scene) => uplinkOf(world.sandbox, a.vpc.bridge);
const port = ({ a }: Scene) => only(a).host.port;

function vsctl(what: string, args: Vsctl, rest: Partial<Mishap> = {}): Mishap {
  const cause = async (scene: Scene) => scene.world.sandbox.vsctl(...(await args(scene)));
  return { what: `ovs-vsctl ${what}`, cause, ...rest };
}

const LONG = { long: true } as const;

/** Settings that are put right. */
const SETTINGS: readonly Mishap[] = [
  vsctl("protocols of a VPC's bridge", (s) => ["set", "Bridge", bridge(s), "protocols=OpenFlow13"]),
  vsctl("protocols of the exchange", (s) => ["set", "Bridge", exchange(s), "protocols=OpenFlow10"]),
  vsctl("stp_enable", (s) => ["set", "Bridge", bridge(s), "stp_enable=true"]),
  vsctl("rstp_enable", (s) => ["set", "Bridge", exchange(s), "rstp_enable=true"]),
  vsctl(
    "mcast_snooping_enable",
    (s) => ["set", "Bridge", exchange(s), "mcast_snooping_enable=true"],
    LONG,
  ),
  vsctl("set-controller", (s) => ["set-controller", exchange(s), "tcp:127.0.0.1:16634"]),
  vsctl(
    "set-controller of a VPC's bridge",
    (s) => ["set-controller", bridge(s), "ptcp:16635:127.0.0.1"],
    LONG,
  ),
  vsctl("tag of a port that is plugged in", (s) => ["set", "Port", port(s), "tag=7"]),
  vsctl("tag of an uplink", async (s) => ["set", "Port", await uplink(s), "tag=7"], LONG),
  vsctl("trunks of an uplink", async (s) => ["set", "Port", await uplink(s), "trunks=7"], LONG),
  vsctl("protected uplink", async (s) => ["set", "Port", await uplink(s), "protected=true"], LONG),
  vsctl("del-fail-mode", (s) => ["del-fail-mode", exchange(s)], LONG),
  vsctl("emer-reset", () => ["emer-reset"]),
];

/** What bridges and ports are. */
const STRUCTURE: readonly Mishap[] = [
  vsctl("clear external_ids of a bridge", (s) => ["clear", "Bridge", bridge(s), "external_ids"]),
  vsctl(
    "clear external_ids of the exchange",
    (s) => ["clear", "Bridge", exchange(s), "external_ids"],
    LONG,
  ),
  vsctl(
    "clear external_ids of an uplink",
    async (s) => ["clear", "Port", await uplink(s), "external_ids"],
    LONG,
  ),
  vsctl("type of an uplink", async (s) => ["set", "Interface", await uplink(s), "type=internal"]),
  vsctl(
    "peer of an uplink",
    async (s) => ["set", "Interface", await uplink(s), "options:peer=nowhere"],
    LONG,
  ),
  vsctl("a second interface of an uplink", async (s) => {
    const add = ["--", "add", "Port", await uplink(s), "interfaces", "@new"];
    return ["--id=@new", "create", "Interface", "name=pbmishap0", "type=internal", ...add];
  }),
  vsctl("del-port of an uplink", async (s) => ["del-port", await uplink(s)], LONG),
  vsctl("del-br of the exchange", (s) => ["del-br", exchange(s)], LONG),
  vsctl("datapath_type", (s) => ["set", "Bridge", exchange(s), "datapath_type=system"], LONG),
];

/** What is left as it is, and reported. */
const REPORTED: readonly Mishap[] = [
  vsctl(
    "a mirror of all packets of the exchange into another VPC",
    async (s) => {
      const { world, stranger } = s;
      const peer = ["get", "Interface", await uplinkOf(world.sandbox, stranger.vpc.bridge)];
      const target = (await world.sandbox.vsctl(...peer, "options:peer")).replaceAll('"', "");
      return [
        ...["--id=@port", "get", "Port", target.trim(), "--"],
        ...["--id=@m", "create", "Mirror", "name=tap", "select_all=true", "output_port=@port"],
        ...["--", "set", "Bridge", exchange(s), "mirrors=@m"],
      ];
    },
    {
      reported: "mirrors",
      undo: (s) => s.world.sandbox.vsctl("clear", "Bridge", exchange(s), "mirrors"),
    },
  ),
  vsctl("forward-bpdu", (s) => ["set", "Bridge", exchange(s), "other_config:forward-bpdu=true"], {
    reported: "other_config:forward-bpdu",
    undo: (s) =>
      s.world.sandbox.vsctl("remove", "Bridge", exchange(s), "other_config", "forward-bpdu"),
  }),
  vsctl(
    "a flow limit for a bridge",
    (s) => [
      ...["--id=@t", "create", "Flow_Table", "flow_limit=100000"],
      ...["--", "set", "Bridge", bridge(s), "flow_tables:3=@t"],
    ],
    {
      ...LONG,
      reported: "flow_tables:3",
      undo: (s) => s.world.sandbox.vsctl("clear", "Bridge", bridge(s), "flow_tables"),
    },
  ),
];

/** Other tools. */
const TOOLS: readonly Mishap[] = [
  {
    what: "ovs-ofctl del-flows on all bridges",
    cause: ({ world, a, b, exchange }) =>
      Promise.all(
        [a.vpc.bridge, b.vpc.bridge, exchange].map((name) =>
          world.sandbox.ofctl("del-flows", name),
        ),
      ),
  },
  {
    ...LONG,
    what: "ovs-ofctl replace-flows of the exchange",
    cause: ({ world, exchange }) =>
      world.sandbox.run(
        "ovs-ofctl",
        ["-O", "OpenFlow14", "replace-flows", exchange, "-"],
        "priority=1,actions=drop\n",
      ),
    undo: ({ world, exchange }) => world.sandbox.ofctl("del-flows", exchange, "cookie=0/-1"),
  },
  {
    ...LONG,
    what: "ovs-appctl dpctl/del-flows and dpctl/flush-conntrack",
    cause: async ({ world }) => {
      await world.sandbox.appctl("dpctl/del-flows");
      await world.sandbox.appctl("dpctl/flush-conntrack");
    },
  },
  {
    ...LONG,
    what: "ovs-appctl revalidator/purge and upcall/disable-megaflows",
    cause: async ({ world }) => {
      await world.sandbox.appctl("upcall/disable-megaflows");
      await world.sandbox.appctl("revalidator/purge");
    },
    undo: ({ world }) => world.sandbox.appctl("upcall/enable-megaflows"),
  },
  {
    what: "ip link set down of the bridges' own devices",
    cause: (scene) =>
      Promise.all(
        [bridge(scene), exchange(scene)].map((name) => execa("ip", ["link", "set", name, "down"])),
      ),
  },
  {
    ...LONG,
    what: "ip link set up of the bridges' own devices",
    cause: (scene) =>
      Promise.all(
        [bridge(scene), exchange(scene)].map((name) => execa("ip", ["link", "set", name, "up"])),
      ),
  },
];

/** Processes that end. */
const KILLS: readonly Mishap[] = [
  {
    what: "kill of ovs-vswitchd, and settings changed while it is away",
    cause: async ({ world, exchange, a }) => {
      const { sandbox } = world;
      await sandbox.killVswitchd("SIGKILL");
      const away = ["--no-wait", "set", "Bridge"];
      await sandbox.vsctl(...away, exchange, "stp_enable=true", "protocols=OpenFlow13");
      await sandbox.vsctl("--no-wait", "set-fail-mode", a.vpc.bridge, "standalone");
      await sandbox.startAgain();
    },
  },
  {
    ...LONG,
    what: "kill of ovsdb-server",
    cause: async ({ world: { sandbox } }) => {
      await sandbox.killOvsdb("SIGKILL");
      await sandbox.startAgain();
    },
  },
  {
    ...LONG,
    what: "kill of both at once",
    cause: async ({ world: { sandbox } }) => {
      await Promise.all([sandbox.killOvsdb("SIGKILL"), sandbox.killVswitchd("SIGKILL")]);
      await sandbox.startAgain();
    },
  },
  {
    ...LONG,
    what: "kill of the daemon, and settings changed while it is away",
    cause: async (scene) => {
      const { world, exchange } = scene;
      await world.daemon.kill();
      const changes = ["protocols=OpenFlow12", "rstp_enable=true"];
      await world.sandbox.vsctl("set", "Bridge", exchange, ...changes);
      await world.sandbox.vsctl("set-controller", bridge(scene), "tcp:127.0.0.1:16634");
      await world.sandbox.vsctl("set", "Port", await uplink(scene), "tag=5");
      await world.daemon.restart();
    },
  },
];

export const MISHAPS: readonly Mishap[] = [
  ...SETTINGS,
  ...STRUCTURE,
  ...REPORTED,
  ...TOOLS,
  ...KILLS,
];
