import { DomainError } from "../domain/errors.js";
import { requireQuota } from "../domain/quotas.js";
import { inTransaction, type Tx } from "../store/database/transaction.js";
import { findVpcsReferringTo } from "../store/security-group-rules.js";
import { findDefaultGroup, findGroupsOf } from "../store/security-groups.js";
import { lockVpcRows } from "../store/vpcs.js";
import type { ServiceContext } from "./context.js";
import { follow } from "./follow.js";
import { tellingOfLimits } from "./limited-rules.js";

/** Groups of one VPC that somebody joins or leaves. */
export interface Membership {
  readonly vpcId: string;
  readonly groupIds: readonly string[];
}

/**
 * Changes who is in some groups, under locks on their VPC and on every VPC with a rule in force that
 * names one of them: what the switch does there changes as well. Afterwards all of them are woken,
 * and whose rules more or fewer members than may be in force make a difference to has been told.
 * @param read what is to change as it is stored; asked before and under the locks
 * @param change is to touch the VPCs that it is given
 */
export async function changeMembership<M extends Membership, T>(
  ctx: ServiceContext,
  read: (tx: Tx) => Promise<M>,
  change: (tx: Tx, membership: M, concerned: readonly string[]) => Promise<T>,
): Promise<T> {
  for (;;) {
    const done = await inTransaction(ctx.db, async (tx) => {
      const locked = await vpcsConcerned(tx, await read(tx));
      await lockVpcRows(tx, locked);
      const membership = await read(tx);
      // No more can come to refer to it: whoever lets one do so holds the lock on the groups' VPC.
      const concerned = await vpcsConcerned(tx, membership);
      if (concerned.some((id) => !locked.includes(id))) return undefined;
      const { vpcId, groupIds } = membership;
      const named = concerned.some((id) => id !== vpcId) ? groupIds : [];
      const work = () => change(tx, membership, concerned);
      return { result: await tellingOfLimits(ctx, tx, named, work), concerned };
    });
    if (done === undefined) continue;
    await follow(ctx, done.concerned);
    return done.result;
  }
}

async function vpcsConcerned(tx: Tx, { vpcId, groupIds }: Membership): Promise<string[]> {
  return [...new Set([vpcId, ...(await findVpcsReferringTo(tx, groupIds))])];
}

/**
 * The groups that an interface of a VPC is to be in: those wanted, or the default one.
 * @throws DomainError `SecurityGroupsPerInterfaceLimitExceeded`; `InvalidGroup.NotFound` for a group
 *   that the VPC does not have, wherever else there may be one
 */
export async function groupsToJoin(
  ctx: ServiceContext,
  tx: Tx,
  vpcId: string,
  wanted: readonly string[] | undefined,
): Promise<readonly string[]> {
  if (wanted === undefined) return [await findDefaultGroup(tx, vpcId)];
  requireQuota(ctx.quotas, "securityGroupsPerInterface", 0, wanted.length);
  const present = await findGroupsOf(tx, vpcId, wanted);
  const missing = wanted.findIndex((id) => !present.has(id));
  if (missing < 0) return wanted;
  const detail = `VPC ${vpcId} has no security group ${wanted[missing]}`;
  const pointer = `/securityGroupIds/${missing}`;
  throw new DomainError("InvalidGroup.NotFound", detail, { pointer });
}
