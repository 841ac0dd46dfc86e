import type { Ip } from "../../domain/cidr.js";
import type { IntentSlice } from "../../domain/intent.js";
import type { Question } from "../../domain/reachability/question.js";
import type { End, Probe } from "../../domain/reachability/trace.js";
import type { Verdict } from "../../domain/reachability/verdict.js";

/** @throws Error when the asker is not there: then there was no verdict either */
export function probeOf(
  vpcs: IntentSlice["vpcs"],
  { vpcId, networkInterfaceId, source, to, opening }: Question,
  { answering, stop, through }: Verdict,
): Probe {
  const answerer = typeof answering === "object" ? answering.networkInterfaceId : undefined;
  const from = endOf(vpcs, vpcId, networkInterfaceId, source);
  if (from === undefined) throw new Error("a verdict on an interface that is not there");
  return {
    from,
    to,
    opening,
    unicast: stop?.code !== "notUnicast",
    answering: endOf(vpcs, through?.toVpcId ?? vpcId, answerer, to),
    peering: through?.number ?? 0,
  };
}

function endOf(
  vpcs: IntentSlice["vpcs"],
  vpcId: string,
  interfaceId: string | undefined,
  source: Ip | undefined,
): End | undefined {
  const vpc = vpcs.get(vpcId);
  const eni = vpc?.interfaces.find(({ id }) => id === interfaceId);
  if (vpc === undefined || eni === undefined) return undefined;
  return { vpcId, vpcNumber: vpc.number, eni, source: source ?? eni.ip };
}
