import type { FastifyRequest } from "fastify";
import type { ResourceType } from "../../domain/resources.js";
import { aside } from "../../domain/turn.js";
import { getAccessKey, recoverIssuedAccessKey } from "../../services/access-keys.js";
import type { ServiceContext } from "../../services/context.js";
import type { Answer, NotedChange } from "../../services/idempotency.js";
import { listVpcs } from "../../services/vpcs.js";
import { presentAccessKey, presentIssuedAccessKey } from "../rest/access-keys/mapper.js";
import { principalOf } from "./authentication.js";

type ReadableType = Exclude<ResourceType, "access-key" | "bridge" | "route">;

/** Where each kind of resource is read. */
const PATHS: Record<ReadableType, string> = {
  tenant: "/v1/tenants",
  vpc: "/v1/vpcs",
  subnet: "/v1/subnets",
  "network-interface": "/v1/network-interfaces",
  "route-table": "/v1/route-tables",
  "security-group": "/v1/security-groups",
  "vpc-peering": "/v1/vpc-peerings",
};

const CREATED = 201;
const NO_CONTENT = 204;

/**
 * The answer to a call whose change was committed and that never got one: the success of this
 * operation with the resource as it is now. What was deleted since is 404.
 */
export async function recoverAnswer(
  ctx: ServiceContext,
  request: FastifyRequest,
  { resourceType, resourceId }: NotedChange,
): Promise<Answer> {
  const status = successStatus(request);
  await followAgain(request);
  if (status === NO_CONTENT) return { status, headers: {}, body: "" };
  if (resourceType === "access-key") return recoverAccessKey(ctx, request, resourceId, status);
  if (resourceType === "security-group-rule") {
    const { id } = request.params as { readonly id: string };
    return readAgain(request, `${PATHS["security-group"]}/${id}/rules/${resourceId}`, status);
  }
  if (resourceType === "bridge" || resourceType === "route") {
    throw new TypeError(`no call is noted as a change of a ${resourceType}`);
  }
  return readAgain(request, `${PATHS[resourceType]}/${resourceId}`, status);
}

/** More than any tenant has. */
const MOST_VPCS = 1_000_000;

/** What the change had touched is not known any more: all that is the caller's is waited for. */
async function followAgain(request: FastifyRequest): Promise<void> {
  const { following } = request.services;
  if (following === undefined) return;
  const all = { after: 0, limit: MOST_VPCS };
  const { items } = await listVpcs(request.services, principalOf(request), { tags: {} }, all);
  await following.until(items.map(({ id }) => id));
}

/** A secret is shown again to who was to see it: whoever has issued the key, and nobody else. */
async function recoverAccessKey(
  ctx: ServiceContext,
  request: FastifyRequest,
  keyId: string,
  status: number,
): Promise<Answer> {
  const caller = principalOf(request);
  const { id: tenantId } = request.params as { readonly id: string };
  if (status !== CREATED) {
    const body = JSON.stringify(presentAccessKey(await getAccessKey(ctx, caller, tenantId, keyId)));
    return { status, headers: { "content-type": JSON_TYPE }, body };
  }
  const issued = await recoverIssuedAccessKey(ctx, caller, keyId);
  const body = JSON.stringify(presentIssuedAccessKey(issued));
  const headers = { "content-type": JSON_TYPE, "cache-control": "no-store" };
  return { status, headers, body };
}

const JSON_TYPE = "application/json; charset=utf-8";

/** Asks with the caller's own credential, so that the answer holds what the caller may see. */
async function readAgain(request: FastifyRequest, url: string, status: number): Promise<Answer> {
  const { authorization = "" } = request.headers;
  const headers = { authorization, "x-request-id": request.id };
  // The call that is made here takes a turn of its own.
  const ask = () => request.server.inject({ method: "GET", url, headers });
  const response = await aside(principalOf(request), ask);
  const contentType = String(response.headers["content-type"] ?? JSON_TYPE);
  return {
    status: response.statusCode === 200 ? status : response.statusCode,
    headers: { "content-type": contentType },
    body: response.body,
  };
}

/** Where an operation has two, the lower one is for calls that have changed nothing. */
function successStatus(request: FastifyRequest): number {
  const { response } = request.routeOptions.schema ?? {};
  const statuses = Object.keys(response ?? {}).map(Number);
  return Math.max(...statuses.filter((status) => status < 300));
}
