import { vi } from "vitest";
import { patient } from "./patience.js";

const POLL_MS = 40;
const PEERING_WAIT_SECONDS = 10;
const BOUND_LIMIT_MS = 10_000;

/** A problem document (RFC 9457), as far as tests look at it. */
export interface ProblemDocument {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly blockedBy?: readonly string[];
}

/** An answer of the daemon that is not a success. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: ProblemDocument;

  constructor(request: string, problem: ProblemDocument) {
    super(`${request}: ${problem.status} ${problem.code} ${problem.detail}`);
    this.problem = problem;
  }
}

export interface DataPlane {
  readonly state: "pending" | "programmed" | "error" | "noop";
  readonly message?: string;
}

export interface Vpc {
  readonly id: string;
  readonly bridge: string;
  readonly state: string;
  readonly dataPlane: DataPlane;
}

export interface Subnet {
  readonly id: string;
  readonly vpcId: string;
  readonly cidrBlock: string;
  readonly gateway: string;
}

export interface NetworkInterface {
  readonly secondaryPrivateIps: readonly string[];
  readonly id: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly privateIp: string;
  readonly macAddress: string;
  readonly gateway: string;
  readonly state: "available" | "in-use";
  readonly dataPlane: DataPlane;
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly dataPlane: DataPlane;
}

export interface Rule {
  readonly direction: "ingress" | "egress";
  readonly protocol: "tcp" | "udp" | "icmp" | "all" | number;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly cidrBlock?: string;
  readonly securityGroupId?: string;
}

export interface Peering {
  readonly id: string;
  readonly state: string;
  readonly statusMessage: string;
  readonly dataPlane: DataPlane;
}

/** Calls below `/v1` with one credential. */
export class RestClient {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  /** @returns the status and the parsed body, whatever the outcome */
  async send(method: string, path: string, body?: object): Promise<[number, unknown]> {
    const response = await fetch(`${this.url}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        // A daemon that is killed and started again leaves pooled connections dead.
        connection: "close",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return [response.status, text === "" ? undefined : JSON.parse(text)];
  }

  /** @throws ProblemError when the answer is not a success */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const [status, answer] = await this.send(method, path, body);
    if (status >= 300) throw new ProblemError(`${method} ${path}`, answer as ProblemDocument);
    return answer as T;
  }

  get<T>(path: string): Promise<T> {
    return this.call("GET", path);
  }

  /** @returns the problem document of a call that must fail */
  async refused(method: string, path: string, body?: object): Promise<ProblemDocument> {
    const [status, answer] = await this.send(method, path, body);
    if (status < 400) throw new Error(`${method} ${path} was not refused but answered ${status}`);
    return answer as ProblemDocument;
  }

  /** Makes a tenant with an admin's key; of an operator. */
  async createTenant(name = "test"): Promise<TenantClient> {
    const { id } = await this.call<{ id: string }>("POST", "/tenants", { name });
    const key = await this.call<{ token: string }>("POST", `/tenants/${id}/access-keys`, {
      roles: ["admin"],
    });
    return new TenantClient(this.url, key.token, id);
  }
}

/** What one tenant's admin does. */
export class TenantClient extends RestClient {
  readonly tenantId: string;

  constructor(url: string, token: string, tenantId: string) {
    super(url, token);
    this.tenantId = tenantId;
  }

  vpc(cidrBlock: string): Promise<Vpc> {
    return this.call("POST", "/vpcs", { cidrBlock });
  }

  /** Lets everything into a VPC's default security group, for tests that are not about groups. */
  async letEverythingIn(vpcId: string): Promise<void> {
    const { id } = await this.defaultGroup(vpcId);
    await this.rule(id, { direction: "ingress", protocol: "all", cidrBlock: "0.0.0.0/0" });
  }

  group(vpcId: string, name: string): Promise<SecurityGroup> {
    return this.call("POST", "/security-groups", { vpcId, name });
  }

  rule(groupId: string, rule: Rule): Promise<{ readonly id: string }> {
    return this.call("POST", `/security-groups/${groupId}/rules`, rule);
  }

  /** Puts an interface into these groups and no other. */
  join(networkInterfaceId: string, ...securityGroupIds: string[]): Promise<NetworkInterface> {
    const path = `/network-interfaces/${networkInterfaceId}`;
    return this.call("PATCH", path, { securityGroupIds });
  }

  async defaultGroup(vpcId: string): Promise<SecurityGroup> {
    const { items } = await this.get<{ items: SecurityGroup[] }>(`/security-groups?vpcId=${vpcId}`);
    const found = items.find(({ name }) => name === "default");
    if (found === undefined) throw new Error(`${vpcId} has no default security group`);
    return found;
  }

  subnet(vpcId: string, cidrBlock: string): Promise<Subnet> {
    return this.call("POST", "/subnets", { vpcId, cidrBlock });
  }

  networkInterface(subnetId: string): Promise<NetworkInterface> {
    return this.call("POST", "/network-interfaces", { subnetId });
  }

  requestPeering(requesterVpcId: string, accepter: VpcOf): Promise<Peering> {
    const { tenant, vpcId } = accepter;
    return this.call("POST", "/vpc-peerings", {
      requesterVpcId,
      accepterVpcId: vpcId,
      accepterTenantId: tenant.tenantId,
    });
  }

  /** @param waitSeconds how long to wait until the switch has confirmed it */
  acceptPeering(id: string, waitSeconds = PEERING_WAIT_SECONDS): Promise<Peering> {
    return this.call("POST", `/vpc-peerings/${id}/accept?wait=${waitSeconds}`);
  }

  deletePeering(id: string, waitSeconds = PEERING_WAIT_SECONDS): Promise<Peering> {
    return this.call("DELETE", `/vpc-peerings/${id}?wait=${waitSeconds}`);
  }

  /** Waits until the daemon has bound and programmed an interface. */
  untilBound(id: string, limitMs = BOUND_LIMIT_MS): Promise<NetworkInterface> {
    return waitFor(
      async () => {
        const found = await this.get<NetworkInterface>(`/network-interfaces/${id}`);
        const { state, dataPlane } = found;
        if (state === "in-use" && dataPlane.state === "programmed") return found;
        throw new Error(`${id} is ${state}: ${dataPlane.state} ${dataPlane.message ?? ""}`);
      },
      limitMs,
      `binding of ${id}`,
    );
  }
}

/** A VPC and whose it is. */
export interface VpcOf {
  readonly tenant: TenantClient;
  readonly vpcId: string;
}

/** Asks for a peering from one VPC to another, and accepts it unless told otherwise. */
export async function peer(
  requester: VpcOf,
  accepter: VpcOf,
  { accept }: { readonly accept: boolean },
): Promise<Peering> {
  const asked = await requester.tenant.requestPeering(requester.vpcId, accepter);
  if (!accept) return asked;
  const accepted = await accepter.tenant.acceptPeering(asked.id);
  if (accepted.state === "active") return accepted;
  throw new Error(`${asked.id} is ${accepted.state}: ${accepted.dataPlane.message ?? ""}`);
}

/**
 * Waits until a condition yields something truthy.
 * @param condition asked again while it yields something falsy or throws
 * @throws Error naming `what`, or the condition's last error, after `limitMs`, which patience stretches
 */
export function waitFor<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs: number,
  what: string,
): Promise<T> {
  const attempt = async (): Promise<T> => {
    const answer = await condition();
    if (answer === undefined || answer === false) throw new Error(`waited in vain for ${what}`);
    return answer;
  };
  return vi.waitFor(attempt, { timeout: patient(limitMs), interval: POLL_MS });
}
