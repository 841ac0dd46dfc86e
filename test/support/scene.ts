import { expect } from "vitest";
import type { Answer, TenantKey, TestApi } from "./api.js";

export interface Route {
  readonly destinationCidrBlock: string;
  readonly target: string;
  readonly state: "active" | "blackhole";
  readonly origin: "local" | "user" | "peering";
}

export interface WithheldRoute {
  readonly destinationCidrBlock: string;
  readonly target: string;
  readonly contestedBy: string | null;
}

export interface PeeringEnds {
  readonly id: string;
  readonly requesterVpcId: string;
  readonly accepterVpcId: string;
}

/** A VPC and the key of its tenant's admin. */
export interface Owned {
  readonly key: TenantKey;
  readonly vpcId: string;
}

/** What tests of peerings do again and again, by their admins' keys. */
export class Scene {
  readonly #api: TestApi;

  constructor(api: TestApi) {
    this.#api = api;
  }

  call(key: TenantKey, method: Method, path: string, body?: unknown): Promise<Answer> {
    return this.#api.call(key.token, method, `/v1${path}`, body);
  }

  /** The body of a call that must have this outcome. */
  async must(
    status: number,
    key: TenantKey,
    method: Method,
    path: string,
    body?: unknown,
  ): Promise<Answer["body"]> {
    const answer = await this.call(key, method, path, body);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBe(status);
    return answer.body;
  }

  async vpc(key: TenantKey, cidrBlock: string): Promise<Owned> {
    return { key, vpcId: await this.#api.createVpc(key.token, cidrBlock) };
  }

  async subnet({ key, vpcId }: Owned, cidrBlock: string): Promise<string> {
    return (await this.must(201, key, "POST", "/subnets", { vpcId, cidrBlock })).id;
  }

  async request(from: Owned, to: Owned, more: object = {}): Promise<string> {
    const accepterTenantId = to.key.tenantId;
    const ends = { requesterVpcId: from.vpcId, accepterVpcId: to.vpcId, accepterTenantId };
    return (await this.must(201, from.key, "POST", "/vpc-peerings", { ...ends, ...more })).id;
  }

  accept(by: Owned, id: string, body?: object): Promise<Answer> {
    return this.call(by.key, "POST", `/vpc-peerings/${id}/accept?wait=10`, body);
  }

  /** A peering from one VPC to another, accepted; both sides with routes unless told otherwise. */
  async peer(
    from: Owned,
    to: Owned,
    autoRoutes: { requester?: boolean; accepter?: boolean } = {},
  ): Promise<string> {
    const { requester = true, accepter = true } = autoRoutes;
    const id = await this.request(from, to, { autoRoutes: requester });
    const { status, body } = await this.accept(to, id, { autoRoutes: accepter });
    expect({ status, state: body.state }, JSON.stringify(body)).toEqual({
      status: 200,
      state: "active",
    });
    return id;
  }

  async end({ key }: Owned, id: string): Promise<void> {
    const body = await this.must(200, key, "DELETE", `/vpc-peerings/${id}?wait=10`);
    expect(body.state).toBe("deleted");
  }

  async stateOf({ key }: Owned, id: string): Promise<string> {
    return (await this.must(200, key, "GET", `/vpc-peerings/${id}`)).state;
  }

  async mainTable({ key, vpcId }: Owned): Promise<string> {
    const { items } = await this.must(200, key, "GET", `/route-tables?vpcId=${vpcId}`);
    return items.find((table: { main: boolean }) => table.main).id;
  }

  /** The routes of the main table, or of the given one, besides the local ones. */
  async routes(of: Owned, tableId?: string): Promise<Route[]> {
    const id = tableId ?? (await this.mainTable(of));
    const { routes } = await this.must(200, of.key, "GET", `/route-tables/${id}`);
    return routes.filter(({ origin }: Route) => origin !== "local");
  }

  /** What was withheld from the main table. */
  async withheld(of: Owned): Promise<WithheldRoute[]> {
    const path = `/route-tables/${await this.mainTable(of)}`;
    return (await this.must(200, of.key, "GET", path)).withheldRoutes;
  }

  addRoute(
    { key }: Owned,
    tableId: string,
    destinationCidrBlock: string,
    vpcPeeringId: string,
  ): Promise<Answer> {
    const body = { destinationCidrBlock, vpcPeeringId };
    return this.call(key, "POST", `/route-tables/${tableId}/routes`, body);
  }

  replaceRoute(
    { key }: Owned,
    tableId: string,
    destination: string,
    vpcPeeringId: string,
  ): Promise<Answer> {
    const path = `/route-tables/${tableId}/routes/${encodeURIComponent(destination)}`;
    return this.call(key, "PUT", path, { vpcPeeringId });
  }

  async blocks({ key, vpcId }: Owned): Promise<string[]> {
    const { cidrBlocks } = await this.must(200, key, "GET", `/vpcs/${vpcId}`);
    return cidrBlocks.map(({ cidrBlock }: { cidrBlock: string }) => cidrBlock);
  }

  addBlock({ key, vpcId }: Owned, cidrBlock: string): Promise<Answer> {
    return this.call(key, "POST", `/vpcs/${vpcId}/cidr-blocks`, { cidrBlock });
  }

  removeBlock({ key, vpcId }: Owned, block: string): Promise<Answer> {
    return this.call(key, "DELETE", `/vpcs/${vpcId}/cidr-blocks/${encodeURIComponent(block)}`);
  }
}

type Method = Parameters<TestApi["call"]>[1];

export function expectRefusal(
  { status, body }: Answer,
  expected: { status: number; code: string; detail?: string | RegExp; blockedBy?: string[] },
): void {
  expect({ status: status, code: body.code }, JSON.stringify(body)).toEqual({
    status: expected.status,
    code: expected.code,
  });
  if (expected.detail !== undefined) expect(body.detail).toMatch(expected.detail);
  if (expected.blockedBy !== undefined) expect(body.blockedBy).toEqual(expected.blockedBy);
}

export function pointersOf({ body }: Answer): string[] {
  return (body.errors ?? []).map(({ pointer }: { pointer: string }) => pointer);
}
