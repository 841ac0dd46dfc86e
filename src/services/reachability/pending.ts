import type { Principal } from "../../domain/principal.js";
import { peeringWanted, withPendingPeering } from "../../domain/reachability/pending.js";
import type { Facts, Question } from "../../domain/reachability/question.js";
import type { Verdict } from "../../domain/reachability/verdict.js";
import { findRequestFor, findRequestRoutedTo } from "../../store/pending-peering.js";
import type { ServiceContext } from "../context.js";

/**
 * Names a request that waits to be accepted, where it is the want of a peering that stops the
 * connection; none of whose blocks the caller would learn by it.
 */
export async function namingPending(
  ctx: ServiceContext,
  caller: Principal,
  asked: { readonly facts: Facts; readonly question: Question },
  verdict: Verdict,
): Promise<Verdict> {
  const wanted = peeringWanted(asked.facts, asked.question, verdict);
  if (wanted === undefined) return verdict;
  const { blackhole, vpcId, to, meantVpcId: otherVpcId } = wanted;
  const routedTo =
    blackhole && (await findRequestRoutedTo(ctx.db, blackhole.routeTableId, blackhole.destination));
  const knowsAll = caller.tenantId === null;
  const id = routedTo ?? (await findRequestFor(ctx.db, { vpcId, to, otherVpcId, knowsAll }));
  return id === undefined ? verdict : withPendingPeering(verdict, id);
}
