import { z } from "zod";
import { parseProxy } from "./domain/clients.js";
import { DEFAULT_QUOTAS, type Quotas } from "./domain/quotas.js";

/** What the generated settings page needs beyond the schema itself. */
declare module "zod" {
  interface GlobalMeta {
    /** Shown as the default where the schema has none, because it is computed. */
    defaultText?: string;
    /** The value never appears in messages. */
    secret?: boolean;
  }
}

const LISTEN = /^(\[[0-9a-f:.]+\]|[^\s:[\]/]+):([0-9]{1,5})$/i;
const OVSDB = /^(unix:.+|(tcp|ssl):.+:[0-9]{1,5})$/;
const OPAQUE_TOKEN = /^[\x21-\x7e]{8,}$/;

const flag = z.enum(["true", "false"], "true or false").transform((text) => text === "true");
const path = z.string().refine((text) => !text.includes("\0"), "a path");

const listen = z.string().transform((text, ctx) => {
  const [, host, port] = LISTEN.exec(text) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65535) {
    ctx.addIssue({ code: "custom", message: "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080" });
    return z.NEVER;
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
});

const wholeNumber = (min: number, max: number) =>
  z.string().transform((text, ctx) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    ctx.addIssue({ code: "custom", message: `a whole number from ${min} to ${max}` });
    return z.NEVER;
  });

const proxies = z.string().transform((text, ctx) =>
  text.split(",").map((item) => {
    const block = parseProxy(item.trim());
    if (block !== undefined) return block;
    const message = `addresses or CIDR blocks, separated by commas; ${JSON.stringify(item.trim())} is none, has bits beyond its prefix, or is everybody`;
    ctx.addIssue({ code: "custom", message });
    return z.NEVER;
  }),
);

/** The kernel counts time-outs in 32 bits of its clock, which may tick 1,000 times a second. */
const LONGEST_TIMEOUT = 2_000_000;

const MOST_OF_ANYTHING = 1_000_000;
const quota = (of: keyof Quotas) =>
  wholeNumber(1, MOST_OF_ANYTHING).prefault(String(DEFAULT_QUOTAS[of]));

function isPostgresUrl(text: string): boolean {
  return URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol);
}

/** Every setting of the daemon, by environment variable. */
export const settings = z.object({
  PATCHBAY_LISTEN: listen
    .prefault("127.0.0.1:8080")
    .describe(
      "Address and port of the HTTP API. Beyond loopback it needs `PATCHBAY_TLS_CERT` and `PATCHBAY_TLS_KEY`, or `PATCHBAY_INSECURE_HTTP=true`. Port 0 picks a free one.",
    ),
  PATCHBAY_TLS_CERT: path
    .optional()
    .describe("PEM file with the certificate chain; turns HTTPS on."),
  PATCHBAY_TLS_KEY: path.optional().describe("PEM file with the certificate's private key."),
  PATCHBAY_INSECURE_HTTP: flag
    .prefault("false")
    .describe(
      "`true` allows plain HTTP beyond loopback, for a daemon behind a proxy that ends TLS.",
    ),
  PATCHBAY_KEEP_ALIVE_SECONDS: wholeNumber(1, 3600)
    .prefault("75")
    .describe(
      "Seconds for which a connection is kept between two requests. Behind a load balancer it must be longer than the balancer keeps its own.",
    ),
  PATCHBAY_TRUSTED_PROXIES: proxies
    .optional()
    .meta({ defaultText: "none" })
    .describe(
      "Addresses and CIDR blocks of proxies, separated by commas. They are believed about whom a request comes from (`X-Forwarded-For`; of several the last that is no proxy's), and may have any number of connections.",
    ),
  PATCHBAY_DATA_DIR: path
    .prefault("var")
    .describe(
      "Folder of the embedded database, the operator token and the keys; created 0700. Relative to the working folder.",
    ),
  DATABASE_URL: z
    .string()
    .refine(isPostgresUrl, "a URL that starts with postgresql://")
    .optional()
    .meta({ secret: true, defaultText: "unset: embedded" })
    .describe("PostgreSQL 15 or newer to use in place of the embedded database."),
  PATCHBAY_BACKEND: z
    .enum(["auto", "ovs", "noop"], "auto, ovs or noop")
    .prefault("auto")
    .describe(
      "`ovs` programs Open vSwitch, `noop` only records what it would program. `auto` means `ovs` when the OVSDB socket answers, else `noop`; a data directory that has programmed a switch stays `ovs` and waits for it.",
    ),
  PATCHBAY_OVSDB: z
    .string()
    .regex(OVSDB, "unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT")
    .optional()
    .meta({ defaultText: "unix:PATCHBAY_OVS_RUNDIR/db.sock" })
    .describe("Where ovsdb-server listens."),
  PATCHBAY_OVS_RUNDIR: path
    .prefault("/var/run/openvswitch")
    .describe("Folder of Open vSwitch's pid files and of the bridges' management sockets."),
  PATCHBAY_DATAPATH: z
    .enum(["system", "netdev"], "system or netdev")
    .prefault("system")
    .describe("`netdev` for Open vSwitch's userspace datapath."),
  PATCHBAY_OPERATOR_TOKEN: z
    .string()
    .regex(OPAQUE_TOKEN, "at least 8 printable ASCII characters without spaces")
    .optional()
    .meta({ secret: true, defaultText: "random, in DATA_DIR/operator-token" })
    .describe("The platform operator's bearer token; choose a long random one."),
  PATCHBAY_RESYNC_SECONDS: wholeNumber(1, 86_400)
    .prefault("30")
    .describe("Seconds between full comparisons of the switch with intent."),
  PATCHBAY_PEERING_EXPIRY_SECONDS: wholeNumber(1, 31_536_000)
    .prefault("604800")
    .describe("Seconds after which a peering request that nobody answered has expired."),
  PATCHBAY_QUOTA_LIVE_PEERINGS_PER_VPC: quota("livePeeringsPerVpc").describe(
    "Live peerings that a VPC may have; checked on accept, for both sides.",
  ),
  PATCHBAY_QUOTA_PENDING_REQUESTS_PER_TENANT: quota("pendingRequestsPerTenant").describe(
    "Peering requests that a tenant may have sent and nobody has answered.",
  ),
  PATCHBAY_QUOTA_REQUESTS_PER_HOUR_TO_TENANT: quota("requestsPerHourToTenant").describe(
    "Peering requests that a tenant may send to one other tenant within an hour, withdrawn and answered ones included.",
  ),
  PATCHBAY_QUOTA_ACCESS_KEYS_PER_TENANT: quota("accessKeysPerTenant").describe(
    "Access keys that a tenant may have, whoever makes them.",
  ),
  PATCHBAY_QUOTA_VPCS_PER_TENANT: quota("vpcsPerTenant").describe("VPCs that a tenant may have."),
  PATCHBAY_QUOTA_BLOCKS_PER_VPC: quota("blocksPerVpc").describe(
    "IPv4 CIDR blocks that a VPC may have, the primary one included.",
  ),
  PATCHBAY_QUOTA_ROUTE_TABLES_PER_VPC: quota("routeTablesPerVpc").describe(
    "Route tables that a VPC may have, the main one included.",
  ),
  PATCHBAY_QUOTA_ROUTES_PER_TABLE: quota("routesPerTable").describe(
    "Routes that a route table may have; local routes do not count.",
  ),
  PATCHBAY_QUOTA_SECURITY_GROUPS_PER_VPC: quota("securityGroupsPerVpc").describe(
    "Security groups that a VPC may have, the default one included.",
  ),
  PATCHBAY_QUOTA_RULES_PER_DIRECTION: quota("rulesPerDirection").describe(
    "Rules that a security group may have, ingress and egress counted apart.",
  ),
  PATCHBAY_QUOTA_SECURITY_GROUPS_PER_INTERFACE: quota("securityGroupsPerInterface").describe(
    "Security groups that a network interface may be in.",
  ),
  PATCHBAY_QUOTA_PRIVATE_IPS_PER_INTERFACE: quota("privateIpsPerInterface").describe(
    "Private addresses that a network interface may have, the primary one included.",
  ),
  PATCHBAY_QUOTA_ADDRESS_PAIRS_PER_INTERFACE: quota("addressPairsPerInterface").describe(
    "Allowed address pairs that a network interface may have.",
  ),
  PATCHBAY_QUOTA_INTERFACES_PER_ADDRESS_PAIR: quota("interfacesPerAddressPair").describe(
    "Network interfaces of a VPC that may have an address pair of the same addresses: each gets a copy of what is sent there.",
  ),
  PATCHBAY_QUOTA_SUBNETS_PER_VPC: quota("subnetsPerVpc").describe("Subnets that a VPC may have."),
  PATCHBAY_QUOTA_INTERFACES_PER_SUBNET: quota("interfacesPerSubnet").describe(
    "Network interfaces that a subnet may have, as far as it has addresses.",
  ),
  PATCHBAY_QUOTA_INTERFACES_PER_VPC: quota("interfacesPerVpc").describe(
    "Network interfaces that a VPC may have; each secondary address and each allowed address pair counts as one more.",
  ),
  PATCHBAY_QUOTA_INTERFACES_PER_TENANT: quota("interfacesPerTenant").describe(
    "Network interfaces that a tenant may have, in all of its VPCs, counted alike.",
  ),
  PATCHBAY_QUOTA_PEER_GROUP_MEMBERS: quota("peerGroupMembers").describe(
    "Addresses of members of a peer VPC's security group that a rule which names it lets in or out; a member with several counts as often. Of a larger group the first by their numbers count, and the rule is shown as `limited`.",
  ),
  PATCHBAY_QUOTA_STREAMS_PER_KEY: quota("streamsPerKey").describe(
    "Event streams that a credential may have open, the operator's too.",
  ),
  PATCHBAY_QUOTA_STREAMS_PER_TENANT: quota("streamsPerTenant").describe(
    "Event streams that a tenant may have open, with all of its keys.",
  ),
  PATCHBAY_STREAMS: quota("streams").describe(
    "Event streams that the daemon has open. So many as a credential may have, a fourth at most, are kept for the operator; the last fourth of the others is for tenants that have a few only.",
  ),
  PATCHBAY_EVENT_RETENTION_DAYS: wholeNumber(1, 36_500)
    .prefault("90")
    .describe("Days for which events are kept."),
  PATCHBAY_EVENT_RETENTION_COUNT: wholeNumber(1, 1_000_000_000)
    .prefault("1000000")
    .describe("Events that are kept, the newest ones, whatever their age."),
  PATCHBAY_CONNECTIONS_PER_INTERFACE: wholeNumber(1, 10_000_000)
    .prefault("50000")
    .describe(
      "Connections that the switch remembers for one interface, those that it opens and those that others open to it counted apart; beyond it no more can be opened.",
    ),
  PATCHBAY_TCP_ESTABLISHED_SECONDS: wholeNumber(1, LONGEST_TIMEOUT)
    .prefault("432000")
    .describe(
      "Seconds for which the switch remembers an established TCP connection on which nothing comes. This and the two below hold for connections that are opened from then on.",
    ),
  PATCHBAY_UDP_STREAM_SECONDS: wholeNumber(1, LONGEST_TIMEOUT)
    .prefault("180")
    .describe("Seconds for which the switch remembers UDP that has been answered."),
  PATCHBAY_UDP_SINGLE_SECONDS: wholeNumber(1, LONGEST_TIMEOUT)
    .prefault("30")
    .describe("Seconds for which the switch remembers UDP that has not been answered."),
  PATCHBAY_RATE_LIMIT_PER_SECOND: wholeNumber(0, 1_000_000)
    .prefault("200")
    .describe(
      "Requests a second that one access key may make, and those without a valid one from one address (with IPv6 a /64); as many may come at once. 0 turns every rate limit off.",
    ),
  PATCHBAY_TENANT_RATE_LIMIT_PER_SECOND: wholeNumber(0, 1_000_000)
    .prefault("1000")
    .describe(
      "Requests a second that all access keys of one tenant may make together; as many may come at once. 0 turns this limit off.",
    ),
  PATCHBAY_WAITING_CALLS_PER_TENANT: wholeNumber(1, MOST_OF_ANYTHING)
    .prefault("1000")
    .describe(
      "Calls of one tenant that may wait for their turn, which goes round among the tenants; more are answered with 429.",
    ),
  PATCHBAY_LOG_LEVEL: z
    .enum(
      ["fatal", "error", "warn", "info", "debug", "trace", "silent"],
      "fatal, error, warn, info, debug, trace or silent",
    )
    .prefault("info")
    .describe("Log level; JSON lines on standard output, readable text on a terminal."),
});

export type SettingName = keyof typeof settings.shape;
export type Settings = z.output<typeof settings>;

/** Read by the command-line client and the scripts, and none of the daemon's business. */
export const CLIENT_SETTINGS: readonly string[] = [
  "PATCHBAY_URL",
  "PATCHBAY_TOKEN",
  "PATCHBAY_SANDBOX_DATAPATH",
];

export function settingNames(): SettingName[] {
  return Object.keys(settings.shape) as SettingName[];
}

export function isSecret(name: SettingName): boolean {
  return settingMeta(name).secret === true;
}

/** Description, default and secrecy of a setting, wherever in its schema they were declared. */
export function settingMeta(name: SettingName): z.GlobalMeta {
  const schema: z.ZodType = settings.shape[name];
  return schema.meta() ?? {};
}
