import { isIP } from "node:net";
import { resolve } from "node:path";
import type { z } from "zod";
import type { Cidr } from "./domain/cidr.js";
import type { Quotas } from "./domain/quotas.js";
import type { EventRetention } from "./domain/retention.js";
import { nearestName } from "./nearest-name.js";
import {
  CLIENT_SETTINGS,
  isSecret,
  type SettingName,
  type Settings,
  settingMeta,
  settingNames,
  settings,
} from "./settings.js";

export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  /** PEM files; undefined for plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly keepAliveSeconds: number;
  readonly trustedProxies: readonly Cidr[];
  /** Absolute. */
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly backend: "auto" | "ovs" | "noop";
  readonly ovsdb: string;
  readonly ovsRundir: string;
  readonly datapath: "system" | "netdev";
  readonly operatorToken: string | undefined;
  readonly connectionsPerInterface: number;
  /** How long the switch remembers idle connections, in seconds. */
  readonly timeouts: {
    readonly tcpEstablished: number;
    readonly udpStream: number;
    readonly udpSingle: number;
  };
  readonly resyncSeconds: number;
  readonly peeringExpirySeconds: number;
  readonly quotas: Quotas;
  readonly eventRetention: EventRetention;
  /** Requests a second; 0 when there is no limit. */
  readonly rateLimits: { readonly perKey: number; readonly perTenant: number };
  /** How many calls of one tenant may wait for their turn. */
  readonly waitingCallsPerTenant: number;
  readonly logLevel: Settings["PATCHBAY_LOG_LEVEL"];
}

export interface ConfigProblem {
  readonly variable: string;
  /** Absent when it is secret or not set. */
  readonly value?: string;
  /** What is expected in its place. */
  readonly expected: string;
}

/** Everything that is wrong with the environment, at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(readonly problems: readonly ConfigProblem[]) {
    super(["The configuration cannot be used:", ...problems.map(problemLine)].join("\n"));
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings from environment variables; empty ones count as unset.
 * @throws ConfigError with every problem there is
 */
export function loadConfig(environment: Environment): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, text]) => text !== ""));
  const problems = unknownSettings(given);
  const parsed = settings.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    problems.push(problemOf(String(issue.path[0]) as SettingName, given, issue.message));
  }
  problems.push(...contradictions(parsed.data ?? settled(given)));
  if (parsed.data === undefined || problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(toConfig(parsed.data));
}

/** The settings that are well-formed, so that contradictions show beside other mistakes. */
function settled(given: Environment): Partial<Settings> {
  const entries = settingNames().map((name) => {
    const schema: z.ZodType = settings.shape[name];
    return [name, schema.safeParse(given[name]).data] as const;
  });
  return Object.fromEntries(entries);
}

function toConfig(set: Settings): Config {
  const { PATCHBAY_TLS_CERT: certFile, PATCHBAY_TLS_KEY: keyFile } = set;
  return {
    listen: Object.freeze(set.PATCHBAY_LISTEN),
    tls: certFile && keyFile ? Object.freeze({ certFile, keyFile }) : undefined,
    keepAliveSeconds: set.PATCHBAY_KEEP_ALIVE_SECONDS,
    trustedProxies: Object.freeze(set.PATCHBAY_TRUSTED_PROXIES ?? []),
    dataDir: resolve(set.PATCHBAY_DATA_DIR),
    databaseUrl: set.DATABASE_URL,
    backend: set.PATCHBAY_BACKEND,
    ovsdb: set.PATCHBAY_OVSDB ?? `unix:${set.PATCHBAY_OVS_RUNDIR}/db.sock`,
    ovsRundir: set.PATCHBAY_OVS_RUNDIR,
    datapath: set.PATCHBAY_DATAPATH,
    operatorToken: set.PATCHBAY_OPERATOR_TOKEN,
    connectionsPerInterface: set.PATCHBAY_CONNECTIONS_PER_INTERFACE,
    timeouts: Object.freeze({
      tcpEstablished: set.PATCHBAY_TCP_ESTABLISHED_SECONDS,
      udpStream: set.PATCHBAY_UDP_STREAM_SECONDS,
      udpSingle: set.PATCHBAY_UDP_SINGLE_SECONDS,
    }),
    resyncSeconds: set.PATCHBAY_RESYNC_SECONDS,
    peeringExpirySeconds: set.PATCHBAY_PEERING_EXPIRY_SECONDS,
    quotas: Object.freeze(quotasOf(set)),
    eventRetention: Object.freeze({
      days: set.PATCHBAY_EVENT_RETENTION_DAYS,
      count: set.PATCHBAY_EVENT_RETENTION_COUNT,
    }),
    rateLimits: Object.freeze({
      perKey: set.PATCHBAY_RATE_LIMIT_PER_SECOND,
      perTenant: set.PATCHBAY_TENANT_RATE_LIMIT_PER_SECOND,
    }),
    waitingCallsPerTenant: set.PATCHBAY_WAITING_CALLS_PER_TENANT,
    logLevel: set.PATCHBAY_LOG_LEVEL,
  };
}

function quotasOf(set: Settings): Quotas {
  return {
    livePeeringsPerVpc: set.PATCHBAY_QUOTA_LIVE_PEERINGS_PER_VPC,
    pendingRequestsPerTenant: set.PATCHBAY_QUOTA_PENDING_REQUESTS_PER_TENANT,
    accessKeysPerTenant: set.PATCHBAY_QUOTA_ACCESS_KEYS_PER_TENANT,
    requestsPerHourToTenant: set.PATCHBAY_QUOTA_REQUESTS_PER_HOUR_TO_TENANT,
    vpcsPerTenant: set.PATCHBAY_QUOTA_VPCS_PER_TENANT,
    blocksPerVpc: set.PATCHBAY_QUOTA_BLOCKS_PER_VPC,
    routeTablesPerVpc: set.PATCHBAY_QUOTA_ROUTE_TABLES_PER_VPC,
    routesPerTable: set.PATCHBAY_QUOTA_ROUTES_PER_TABLE,
    securityGroupsPerVpc: set.PATCHBAY_QUOTA_SECURITY_GROUPS_PER_VPC,
    rulesPerDirection: set.PATCHBAY_QUOTA_RULES_PER_DIRECTION,
    securityGroupsPerInterface: set.PATCHBAY_QUOTA_SECURITY_GROUPS_PER_INTERFACE,
    privateIpsPerInterface: set.PATCHBAY_QUOTA_PRIVATE_IPS_PER_INTERFACE,
    addressPairsPerInterface: set.PATCHBAY_QUOTA_ADDRESS_PAIRS_PER_INTERFACE,
    interfacesPerAddressPair: set.PATCHBAY_QUOTA_INTERFACES_PER_ADDRESS_PAIR,
    subnetsPerVpc: set.PATCHBAY_QUOTA_SUBNETS_PER_VPC,
    interfacesPerSubnet: set.PATCHBAY_QUOTA_INTERFACES_PER_SUBNET,
    interfacesPerVpc: set.PATCHBAY_QUOTA_INTERFACES_PER_VPC,
    interfacesPerTenant: set.PATCHBAY_QUOTA_INTERFACES_PER_TENANT,
    peerGroupMembers: set.PATCHBAY_QUOTA_PEER_GROUP_MEMBERS,
    streamsPerKey: set.PATCHBAY_QUOTA_STREAMS_PER_KEY,
    streamsPerTenant: set.PATCHBAY_QUOTA_STREAMS_PER_TENANT,
    streams: set.PATCHBAY_STREAMS,
  };
}

function unknownSettings(given: Environment): ConfigProblem[] {
  const known: readonly string[] = settingNames();
  return Object.keys(given)
    .filter((name) => name.startsWith("PATCHBAY_"))
    .filter((name) => !known.includes(name) && !CLIENT_SETTINGS.includes(name))
    .map((variable) => ({
      variable,
      expected: `a known setting; the nearest is ${nearestName(variable, known)}`,
    }));
}

/** Problems that lie between settings that are well-formed each. */
function contradictions(set: Partial<Settings>): ConfigProblem[] {
  const hasCert = set.PATCHBAY_TLS_CERT !== undefined;
  const hasKey = set.PATCHBAY_TLS_KEY !== undefined;
  if (hasCert !== hasKey) {
    const [variable, other] = hasCert
      ? ["PATCHBAY_TLS_KEY", "PATCHBAY_TLS_CERT"]
      : ["PATCHBAY_TLS_CERT", "PATCHBAY_TLS_KEY"];
    return [{ variable, expected: `a PEM file, because ${other} is set` }];
  }
  if (set.PATCHBAY_LISTEN === undefined || hasCert || set.PATCHBAY_INSECURE_HTTP) return [];
  const { host, port } = set.PATCHBAY_LISTEN;
  if (isLoopback(host)) return [];
  const expected =
    "a loopback address, or TLS (PATCHBAY_TLS_CERT and PATCHBAY_TLS_KEY), or an explicit " +
    "PATCHBAY_INSECURE_HTTP=true: bearer tokens must not cross a network in the clear";
  return [{ variable: "PATCHBAY_LISTEN", value: `${host}:${port}`, expected }];
}

export function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  const mapped = host.replace(/^::ffff:/i, "");
  return isIP(mapped) === 4 && mapped.startsWith("127.");
}

function problemOf(variable: SettingName, given: Environment, expected: string): ConfigProblem {
  const value = given[variable];
  return value === undefined || isSecret(variable)
    ? { variable, expected }
    : { variable, value, expected };
}

function problemLine({ variable, value, expected }: ConfigProblem): string {
  const shown = value === undefined ? variable : `${variable}=${JSON.stringify(value)}`;
  return `  ${shown}: expected ${expected}`;
}

/** The settings as a Markdown page; docs/configuration.md is this text. */
export function configurationDocument(): string {
  const rows = settingNames().map((name) => {
    const { description } = settingMeta(name);
    return `| \`${name}\` | ${defaultText(name)} | ${description} |`;
  });
  return [
    "# Settings",
    "",
    "The daemon is configured by environment variables only. It lists everything that is wrong",
    "with them at once and then refuses to start; an unknown `PATCHBAY_*` variable is an error.",
    "An empty variable counts as unset. This page is generated from `src/settings.ts`.",
    "",
    "| variable | default | meaning |",
    "|---|---|---|",
    ...rows,
    "| `PATCHBAY_URL`, `PATCHBAY_TOKEN` | – | Read by the scripts and clients; the daemon ignores them. |",
    "| `PATCHBAY_SANDBOX_DATAPATH` | `netdev` | What a private switch (`ovs/sandbox.sh`, `npm run up`) forwards with when it is made: `netdev`, Open vSwitch's userspace datapath, or `system`, the kernel's. The daemon ignores it. |",
    "",
  ].join("\n");
}

function defaultText(name: SettingName): string {
  const declared = settingMeta(name).defaultText;
  if (declared !== undefined) return declared;
  const schema = settings.shape[name];
  return "defaultValue" in schema.def ? `\`${String(schema.def.defaultValue)}\`` : "unset";
}
