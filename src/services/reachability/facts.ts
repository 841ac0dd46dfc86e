import type { DataPlaneView } from "../../domain/data-plane.js";
import { DomainError } from "../../domain/errors.js";
import type { IntentSlice } from "../../domain/intent.js";
import { farVpcId, judge } from "../../domain/reachability/judge.js";
import { askerOf, type Facts, type Question } from "../../domain/reachability/question.js";
import { loadIntent } from "../../store/intent-snapshot.js";
import { findWithheldRoutes } from "../../store/withheld-routes.js";
import type { ServiceContext } from "../context.js";
import { roomForAll } from "./room.js";

const LOAD_ATTEMPTS = 5;

/** Enough to judge by. Which VPC is on the far side shows only once the near one has been read. */
export async function loadFacts(
  ctx: ServiceContext,
  view: DataPlaneView,
  question: Question,
): Promise<{ slice: IntentSlice; facts: Facts }> {
  for (let attempt = 1; attempt <= LOAD_ATTEMPTS; attempt += 1) {
    const near = await loadIntent(ctx.db, new Set([question.vpcId]), ctx.quotas);
    if (askerOf(near, question) === undefined) {
      const detail = `there is no network interface ${question.networkInterfaceId} any more`;
      throw new DomainError("InvalidNetworkInterfaceID.NotFound", detail, { pointer: "/from" });
    }
    const far = farVpcId(factsOf(near, view), question);
    const both = new Set([question.vpcId, far ?? question.vpcId]);
    const slice = far === undefined ? near : await loadIntent(ctx.db, both, ctx.quotas);
    const withheld = await findWithheldRoutes(ctx.db, [...slice.vpcs.keys()]);
    const facts = { ...factsOf(slice, view), withheld };
    if (judge(facts, question) !== undefined) return { slice, facts };
  }
  throw new DomainError("ServiceUnavailable", "the routes change too fast to be followed");
}

/** Without a switch nothing can be plugged in: the answer is then what it would be if it were. */
function factsOf({ vpcs, peerings }: IntentSlice, view: DataPlaneView): Facts {
  const isPluggedIn = (id: string) => {
    return view.backend === "noop" || ["bound", "dead"].includes(view.binding(id).kind);
  };
  const deadPort = (id: string) => {
    const binding = view.binding(id);
    return binding.kind === "dead" ? binding.message : undefined;
  };
  const outage = view.outage();
  return { vpcs, peerings, isPluggedIn, isFull: roomForAll, deadPort, outage };
}
