import { untilAvailable } from "../ovs/e2e/world.js";
import { type Daemon, startDaemon } from "../support/daemon.js";
import { type Host, type HostPool, hostPool } from "../support/netns.js";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { type NetworkInterface, RestClient, type TenantClient, type Vpc } from "../support/rest.js";
import { type Sandbox, startSandbox } from "../support/sandbox.js";
import { Caller, type Calls } from "./caller.js";
import { type Arrival, Prober } from "./prober.js";
import { makeSurroundings, type Surroundings } from "./surroundings.js";

export type DatabaseKind = "embedded" | "PostgreSQL";

/** Two sites a tenant. 0 and 3 have the same block, 5 lies inside 2; their hosts share addresses. */
const BLOCKS = [
  ["10.0.0.0/16", "10.0.1.0/24"],
  ["10.1.0.0/16", "10.1.1.0/24"],
  ["10.2.0.0/16", "10.2.1.0/24"],
  ["10.0.0.0/16", "10.0.1.0/24"],
  ["10.4.0.0/16", "10.4.1.0/24"],
  ["10.2.0.0/20", "10.2.1.0/24"],
] as const;
const SITES_PER_TENANT = 2;

/** A VPC with one host, which all others send to. */
export interface Site {
  readonly number: number;
  readonly block: string;
  readonly tenant: TenantClient;
  /** The same tenant, for calls that are made until they are answered. */
  readonly caller: Caller;
  readonly vpc: Vpc;
  readonly eni: NetworkInterface;
  readonly host: Host;
  readonly defaultGroupId: string;
}

export interface World {
  readonly database: DatabaseKind;
  readonly sandbox: Sandbox;
  readonly daemon: Daemon;
  readonly postgres: PostgresServer | undefined;
  readonly databaseUrl: string | undefined;
  readonly surroundings: Surroundings;
  readonly operator: RestClient;
  readonly calls: Calls;
  readonly sites: readonly Site[];
  readonly probers: readonly Prober[];
  /** What was done when, to read beside the daemon's log. */
  readonly diary: string[];
  /** What has come in since it was last taken. */
  takeArrivals(): Arrival[];
  /** Called with everything that comes in. */
  onArrival: (arrival: Arrival) => void;
  dispose(): Promise<void>;
}

/** Ends what was started, last things first. */
class Cleanup {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.unshift(step);
  }

  readonly run = async (): Promise<void> => {
    const errors: unknown[] = [];
    for (const step of this.#steps.splice(0)) await step().catch((error) => errors.push(error));
    if (errors.length > 0) throw new AggregateError(errors, "could not clean up");
  };
}

export async function startWorld(database: DatabaseKind): Promise<World> {
  const cleanup = new Cleanup();
  try {
    return await build(database, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function build(database: DatabaseKind, cleanup: Cleanup): Promise<World> {
  const sandbox = await startSandbox();
  cleanup.add(() => sandbox.stop());
  const surroundings = await makeSurroundings();
  cleanup.add(() => surroundings.dispose());
  const postgres = database === "PostgreSQL" ? await startPostgres() : undefined;
  if (postgres !== undefined) cleanup.add(() => postgres.stop());
  const databaseUrl = await postgres?.createDatabase();
  const env = {
    ...surroundings.env,
    PATCHBAY_RESYNC_SECONDS: "5",
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
  };
  const daemon = await startDaemon({ sandbox, env, parentDir: surroundings.disk });
  cleanup.add(() => daemon.dispose());
  const hosts = hostPool(sandbox);
  cleanup.add(() => hosts.destroyAll());
  const operator = new RestClient(daemon.url, daemon.operatorToken);
  const calls: Calls = { acknowledged: 0, refused: 0, unanswered: 0, internalErrors: 0 };
  const sites = await makeSites(operator, hosts, calls);
  const parts = { database, sandbox, daemon, postgres, databaseUrl, surroundings, operator };
  return probing({ ...parts, calls, sites, dispose: cleanup.run });
}

function probing(parts: Omit<World, "probers" | "diary" | "takeArrivals" | "onArrival">): World {
  let arrivals: Arrival[] = [];
  const world: World = {
    ...parts,
    diary: [],
    onArrival: () => undefined,
    takeArrivals: () => {
      const taken = arrivals;
      arrivals = [];
      return taken;
    },
    probers: parts.sites.map(
      (site) =>
        new Prober(site.number, site.host, (came) => {
          for (const arrival of came) {
            arrivals.push(arrival);
            world.onArrival(arrival);
          }
        }),
    ),
  };
  for (const [index, prober] of world.probers.entries()) aim(prober, index, parts.sites);
  return world;
}

/** At every other address; two sites may have the same, and then either may get it, or neither. */
function aim(prober: Prober, own: number, sites: readonly Site[]): void {
  const targets: Record<number, string> = {};
  const known = new Set([sites[own]?.eni.privateIp]);
  for (const { number, eni } of sites) {
    if (known.has(eni.privateIp)) continue;
    known.add(eni.privateIp);
    targets[number] = eni.privateIp;
  }
  prober.aim(targets);
}

async function makeSites(operator: RestClient, hosts: HostPool, calls: Calls): Promise<Site[]> {
  const sites: Site[] = [];
  let tenant = await operator.createTenant("faults");
  for (const [number, [block, subnet]] of BLOCKS.entries()) {
    if (number > 0 && number % SITES_PER_TENANT === 0) {
      tenant = await operator.createTenant("faults");
    }
    sites.push(await makeSite({ number, block, subnet }, tenant, hosts, calls));
  }
  return sites;
}

async function makeSite(
  plan: { readonly number: number; readonly block: string; readonly subnet: string },
  tenant: TenantClient,
  hosts: HostPool,
  calls: Calls,
): Promise<Site> {
  const made = await tenant.vpc(plan.block);
  await tenant.letEverythingIn(made.id);
  const { id: defaultGroupId } = await tenant.defaultGroup(made.id);
  const { id: subnetId } = await tenant.subnet(made.id, plan.subnet);
  const eni = await tenant.networkInterface(subnetId);
  const vpc = await untilAvailable({ tenant, vpcId: made.id });
  const host = await hosts.create({
    bridge: vpc.bridge,
    address: `${eni.privateIp}/24`,
    mac: eni.macAddress,
    gateway: eni.gateway,
    ifaceId: eni.id,
  });
  await tenant.untilBound(eni.id);
  const caller = new Caller(tenant.url, tenant.token, calls);
  return { number: plan.number, block: plan.block, tenant, caller, vpc, eni, host, defaultGroupId };
}
