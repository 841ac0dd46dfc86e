import type { z } from "zod";
import { formatCidr, formatIp } from "../../../domain/cidr.js";
import type { TraceStep } from "../../../domain/reachability/trace.js";
import type { ContestedBlock, Hop, Verdict } from "../../../domain/reachability/verdict.js";
import type { ReachabilityAnswer } from "../../../services/reachability/answer.js";
import type { plannedSchema, reachabilitySchema } from "./schema.js";

type Presented = z.output<typeof reachabilitySchema>;

export function presentReachability(answer: ReachabilityAnswer): Presented {
  const { verdict, planned, confirmation } = answer;
  const { hops, contested } = verdict;
  const { confirmed, drift, message = null, there, back } = confirmation;
  return {
    ...presentOutcome(verdict),
    path: hops.map(presentHop),
    ...(planned !== undefined && { planned: presentOutcome(planned) }),
    ...(contested.length > 0 && { contested: contested.map(presentContested) }),
    confirmedBySwitch: confirmed,
    drift,
    switch: { message, there: there.map(presentStep), back: back.map(presentStep) },
  };
}

function presentOutcome({ stop }: Verdict): z.output<typeof plannedSchema> {
  if (stop === undefined) return { reachable: true };
  const { code: stoppedBy, reason, remedy, pendingPeering } = stop;
  const pending = pendingPeering !== undefined && { pendingPeering };
  return { reachable: false, stoppedBy, reason, remedy, ...pending };
}

function presentContested({ block, vpcPeeringId, withheld }: ContestedBlock) {
  return { cidrBlock: formatCidr(block), vpcPeeringId, withheld };
}

function presentHop(hop: Hop): Presented["path"][number] {
  switch (hop.kind) {
    case "interface":
      return { ...hop, ip: formatIp(hop.ip) };
    case "gateway":
      return { ...hop, ip: formatIp(hop.ip) };
    case "subnet": {
      const { kind, vpcId, subnetId, block } = hop;
      return { kind, vpcId, subnetId, cidrBlock: formatCidr(block) };
    }
    case "route":
    case "routeBack": {
      const { kind, vpcId, routeTableId, destination, vpcPeeringId: target = "local" } = hop;
      return { kind, vpcId, routeTableId, destinationCidrBlock: formatCidr(destination), target };
    }
    case "rule": {
      const { kind, vpcId, direction, securityGroupId, securityGroupRuleId } = hop;
      return { kind, vpcId, direction, securityGroupId, securityGroupRuleId };
    }
    case "peering":
      return { ...hop };
  }
}

function presentStep({ bridge, vpcId, stages }: TraceStep) {
  return { bridge, vpcId, stages: [...stages] };
}
