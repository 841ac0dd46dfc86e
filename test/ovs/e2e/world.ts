import { type Daemon, startDaemon } from "../../support/daemon.js";
import { type HostPool, hostPool } from "../../support/netns.js";
import {
  type NetworkInterface,
  RestClient,
  type Subnet,
  type TenantClient,
  type Vpc,
  type VpcOf,
  waitFor,
} from "../../support/rest.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { Workload } from "./workload.js";

const BRIDGE_LIMIT_MS = 10_000;

/** A VPC of a tenant of its own, and what is plugged into it. */
export interface Site extends VpcOf {
  readonly vpc: Vpc;
  readonly subnets: readonly Subnet[];
  readonly workloads: readonly Workload[];
}

/** How many interfaces each subnet, by block, is to have. */
export type Plan = Readonly<Record<string, number>>;

export interface SiteOptions {
  /** Leaves the default security group as it is: nobody else gets in. */
  readonly closed: boolean;
}

/** A daemon on a switch, and hosts plugged into that switch. */
export interface World {
  readonly sandbox: Sandbox;
  readonly daemon: Daemon;
  readonly operator: RestClient;
  readonly hosts: HostPool;
  /**
   * Makes a VPC of a new tenant, or of `tenant`, with everything in `plan` plugged in and bound.
   * @param name the workloads are called NAME1, NAME2, …
   */
  site(
    name: string,
    block: string,
    plan: Plan,
    tenant?: TenantClient,
    options?: SiteOptions,
  ): Promise<Site>;
  /** Plugs a workload into an interface; does not wait until it is bound. */
  plug(name: string, site: Pick<Site, "vpc" | "subnets">, eni: NetworkInterface): Promise<Workload>;
  /** Ends everything and removes all that was made. */
  dispose(): Promise<void>;
}

/** @param env settings of the daemon */
export async function startWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const sandbox = await startSandbox();
  try {
    const world = await joinWorld(sandbox, env);
    const dispose = async () => {
      await world.dispose();
      await sandbox.stop();
    };
    return { ...world, dispose };
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
}

/** Starts another installation on a switch; disposing of it leaves the switch running. */
export async function joinWorld(
  sandbox: Sandbox,
  env: Readonly<Record<string, string>> = {},
): Promise<World> {
  const daemon = await startDaemon({ sandbox, env });
  const operator = new RestClient(daemon.url, daemon.operatorToken);
  const hosts = hostPool(sandbox);
  const plug: World["plug"] = (name, site, eni) => plugIn(hosts, name, site, eni);
  return {
    sandbox,
    daemon,
    operator,
    hosts,
    plug,
    site: async (name, block, plan, tenant, options = { closed: false }) =>
      makeSite(
        { name, block, plan, ...options },
        tenant ?? (await operator.createTenant(name)),
        plug,
      ),
    dispose: async () => {
      await hosts.destroyAll();
      await daemon.dispose();
    },
  };
}

interface SitePlan extends SiteOptions {
  readonly name: string;
  readonly block: string;
  readonly plan: Plan;
}

async function makeSite(
  { name, block, plan, closed }: SitePlan,
  tenant: TenantClient,
  plug: World["plug"],
): Promise<Site> {
  const vpc = await tenant.vpc(block);
  if (!closed) await tenant.letEverythingIn(vpc.id);
  const subnets: Subnet[] = [];
  const interfaces: NetworkInterface[] = [];
  for (const [cidr, count] of Object.entries(plan)) {
    const subnet = await tenant.subnet(vpc.id, cidr);
    subnets.push(subnet);
    for (let made = 0; made < count; made++) {
      interfaces.push(await tenant.networkInterface(subnet.id));
    }
  }
  await untilAvailable({ tenant, vpcId: vpc.id });
  const workloads = await Promise.all(
    interfaces.map((eni, index) => plug(`${name}${index + 1}`, { vpc, subnets }, eni)),
  );
  await Promise.all(interfaces.map((eni) => tenant.untilBound(eni.id)));
  return { tenant, vpcId: vpc.id, vpc, subnets, workloads };
}

/** Waits until the switch has the VPC's bridge, with all that belongs on it. */
export function untilAvailable({ tenant, vpcId }: VpcOf): Promise<Vpc> {
  return waitFor(
    async () => {
      const vpc = await tenant.get<Vpc>(`/vpcs/${vpcId}`);
      const isInForce = ["programmed", "noop"].includes(vpc.dataPlane.state);
      return vpc.state === "available" && isInForce && vpc;
    },
    BRIDGE_LIMIT_MS,
    `the bridge of ${vpcId}`,
  );
}

async function plugIn(
  hosts: HostPool,
  name: string,
  { vpc, subnets }: Pick<Site, "vpc" | "subnets">,
  eni: NetworkInterface,
): Promise<Workload> {
  const subnet = subnets.find(({ id }) => id === eni.subnetId);
  const host = await hosts.create({
    bridge: vpc.bridge,
    address: `${eni.privateIp}/${subnet?.cidrBlock.split("/")[1]}`,
    mac: eni.macAddress,
    gateway: eni.gateway,
    ifaceId: eni.id,
  });
  return Workload.start(name, eni, host);
}
