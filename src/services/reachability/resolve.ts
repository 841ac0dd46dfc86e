import { formatIp, type Ip, isSameIp, parseIp } from "../../domain/cidr.js";
import { DomainError } from "../../domain/errors.js";
import { idPattern } from "../../domain/ids.js";
import { maySee, type Principal } from "../../domain/principal.js";
import type { Opening, Question } from "../../domain/reachability/question.js";
import type { NetworkInterface } from "../../domain/resources.js";
import { findInterfacesByAddress } from "../../store/interface-addresses.js";
import { findNetworkInterface } from "../../store/network-interfaces.js";
import { findVpc } from "../../store/vpcs.js";
import type { ServiceContext } from "../context.js";
import { requireVpc } from "../vpcs.js";

export interface ReachabilityQuery {
  /** An own interface, by id or address. */
  readonly from: string;
  /** An own interface by id, or any address. */
  readonly to: string;
  readonly opening: Opening;
  /** The VPC of `from`, where an address alone does not say which. */
  readonly vpcId?: string | undefined;
  /** Whether both ends count as plugged in. */
  readonly plan?: boolean | undefined;
}

const INTERFACE_ID = idPattern("networkInterface");

/**
 * What is asked, by ids.
 * @throws DomainError `InvalidNetworkInterfaceID.NotFound`, `InvalidParameterValue` when an address
 *   is of several own VPCs, …
 */
export async function resolveQuestion(
  ctx: ServiceContext,
  caller: Principal,
  { from, to, opening, vpcId }: ReachabilityQuery,
): Promise<Question> {
  if (vpcId !== undefined)
    requireVpc(caller, vpcId, await findVpc(ctx.db, vpcId, caller.tenantId), "/vpcId");
  const sender = await resolveSender(ctx, caller, from, vpcId);
  if (vpcId !== undefined && sender.vpcId !== vpcId) {
    throw invalid(`${sender.id} is not in ${vpcId} but in ${sender.vpcId}`, "/vpcId");
  }
  const target = await resolveTarget(ctx, caller, to);
  if (target.id === sender.id || sender.own.some((ip) => isSameIp(ip, target.ip))) {
    throw invalid(`${to} is the sender itself: no packet leaves its host`, "/to");
  }
  return {
    vpcId: sender.vpcId,
    networkInterfaceId: sender.id,
    source: sender.source,
    to: target.ip,
    meantVpcId: target.vpcId,
    opening,
  };
}

interface Sender {
  readonly id: string;
  readonly vpcId: string;
  readonly source: Ip;
  /** No packet to one of these leaves its host. */
  readonly own: readonly Ip[];
}

async function resolveSender(
  ctx: ServiceContext,
  caller: Principal,
  from: string,
  vpcId: string | undefined,
): Promise<Sender> {
  if (INTERFACE_ID.test(from)) {
    const found = await ownInterface(ctx, caller, from, "/from");
    return senderAt(found, found.privateIp);
  }
  const ip = addressOf(from, "/from");
  const filter = { tenantId: caller.tenantId, vpcId, ip };
  const [found, ...others] = await findInterfacesByAddress(ctx.db, filter);
  if (found === undefined) throw notFound(`no network interface has ${formatIp(ip)}`, "/from");
  if (others.length === 0) {
    return senderAt(await ownInterface(ctx, caller, found.id, "/from"), ip);
  }
  const all = [found, ...others];
  const vpcs = new Set(all.map((each) => each.vpcId));
  const detail =
    vpcs.size === 1
      ? `several interfaces may send from ${formatIp(ip)}: give an id (${all.map(({ id }) => id).join(", ")})`
      : `several VPCs have ${formatIp(ip)}: give its id, or vpcId (${[...vpcs].join(", ")})`;
  throw invalid(detail, "/from");
}

function senderAt(eni: NetworkInterface, source: Ip): Sender {
  const own = [eni.privateIp, ...eni.secondaryPrivateIps, source];
  return { id: eni.id, vpcId: eni.vpcId, source, own };
}

async function resolveTarget(
  ctx: ServiceContext,
  caller: Principal,
  to: string,
): Promise<{ ip: Ip; id?: string; vpcId?: string }> {
  if (!INTERFACE_ID.test(to)) return { ip: addressOf(to, "/to") };
  const { id, vpcId, privateIp } = await ownInterface(ctx, caller, to, "/to");
  return { id, vpcId, ip: privateIp };
}

async function ownInterface(
  ctx: ServiceContext,
  caller: Principal,
  id: string,
  pointer: string,
): Promise<NetworkInterface> {
  const found = await findNetworkInterface(ctx.db, id, caller.tenantId);
  if (found !== null && maySee(caller, found.tenantId)) return found;
  throw notFound(`there is no network interface ${id}`, pointer);
}

function addressOf(text: string, pointer: string): Ip {
  const ip = parseIp(text);
  if (ip?.family === 4) return ip;
  const detail = `"${text}" is neither the id of a network interface nor an IPv4 address`;
  throw new DomainError("ValidationError", detail, { pointer });
}

function invalid(detail: string, pointer: string): DomainError {
  return new DomainError("InvalidParameterValue", detail, { pointer });
}

function notFound(detail: string, pointer: string): DomainError {
  return new DomainError("InvalidNetworkInterfaceID.NotFound", detail, { pointer });
}
