import { formatIp } from "../domain/cidr.js";
import {
  type Action,
  commit,
  gotoTable,
  move,
  moveBits,
  resubmit,
  setRegister,
  track,
} from "../openflow/action.js";
import type { Flow, Match } from "../openflow/flow.js";
import { type BoundInterface, ofInterface, ofVpc, type VpcContext, vpcFlow } from "./context.js";
import { type DropReason, dropFor } from "./drops.js";
import { PRIORITIES } from "./priorities.js";
import { NO, REGISTERS, ROLES, type Role, registerMatch, YES, ZONE_BITS } from "./registers.js";
import { VPC_TABLES } from "./tables.js";

/** One of the two times that a packet is judged: as its sender's, and as its receiver's. */
interface Stage {
  readonly state: "egressState" | "ingressState";
  readonly verdict: "egressVerdict" | "ingressVerdict";
  readonly onward: "peering" | "deliver";
  readonly refusal: DropReason;
  /** What the interface is in a connection that such a packet opens, and in one that it answers. */
  readonly opening: Role;
  readonly answering: Role;
}

const STAGES: readonly Stage[] = [
  {
    state: "egressState",
    verdict: "egressVerdict",
    onward: "peering",
    refusal: "egressPolicy",
    opening: "caller",
    answering: "called",
  },
  {
    state: "ingressState",
    verdict: "ingressVerdict",
    onward: "deliver",
    refusal: "ingressPolicy",
    opening: "called",
    answering: "caller",
  },
];

/**
 * Every packet is judged, in whichever direction, by the rules as they are now and by the packet
 * that opened its connection (`ct_nw_src` and its like). So replies need no rule, and a connection
 * ends with the rule, the membership or the peering that allowed it.
 */
export function policyFlows(context: VpcContext): Flow[] {
  return [
    senderFlow(context),
    ...STAGES.flatMap((stage) => [...stateFlows(context, stage), ...verdictFlows(context, stage)]),
  ];
}

function senderFlow(context: VpcContext): Flow {
  return vpcFlow(context, "egressTrack", ofVpc(context), {
    priority: PRIORITIES.ordinary.value,
    match: { ip: true },
    actions: [track(ZONE_BITS, VPC_TABLES.egressState.number)],
  });
}

/** Finds the receiver, and its conntrack zone with it. */
export function receiverFlow(context: VpcContext, eni: BoundInterface): Flow {
  return vpcFlow(context, "ingressTrack", ofInterface(eni), {
    priority: PRIORITIES.ordinary.value,
    match: { ip: true, nw_dst: formatIp(eni.ip) },
    actions: [
      setRegister(REGISTERS.interface.field, eni.number),
      setRegister(REGISTERS.zone.field, eni.zones.called),
      track(ZONE_BITS, VPC_TABLES.ingressState.number),
    ],
  });
}

function stateFlows(context: VpcContext, stage: Stage): Flow[] {
  const { ordinary, fallback, exception } = PRIORITIES;
  const flow = (priority: number, match: Match, actions: Action[]) =>
    vpcFlow(context, stage.state, ofVpc(context), { priority, match, actions });
  return [
    flow(exception.value, { ip: true, ct_state: "+inv+trk" }, dropFor(stage.refusal)),
    flow(ordinary.value, { icmp: true, ct_state: "+new-inv+trk" }, [
      ...noteIcmp(),
      ...judgeAs(stage, stage.opening),
    ]),
    flow(fallback.value, { ip: true, ct_state: "+new-inv+trk" }, judgeAs(stage, stage.opening)),
    flow(ordinary.value, { ip: true, ct_state: "-new-rpl-inv+trk" }, [
      ...recallConnection(),
      ...judgeAs(stage, stage.opening),
    ]),
    flow(ordinary.value, { ip: true, ct_state: "-new+rpl-inv+trk" }, [
      ...recallConnection(),
      ...judgeAs(stage, stage.answering),
    ]),
  ];
}

/** The rules ask what ICMP message opened a connection, which its answers and errors do not tell. */
function noteIcmp(): Action[] {
  return [
    moveBits("NXM_OF_ICMP_TYPE[]", "NXM_NX_REG6[8..15]"),
    moveBits("NXM_OF_ICMP_CODE[]", "NXM_NX_REG6[0..7]"),
  ];
}

function recallConnection(): Action[] {
  return [
    moveBits("NXM_NX_CT_LABEL[0..15]", "NXM_NX_REG6[0..15]"),
    setRegister(REGISTERS.continuity.field, NO),
    resubmit(VPC_TABLES.continuity.number),
  ];
}

/** Nothing is allowed until a rule says so: what an earlier stage found does not count. */
function judgeAs(stage: Stage, role: Role): Action[] {
  return [
    setRegister(REGISTERS.verdict.field, NO),
    setRegister(REGISTERS.role.field, ROLES[role]),
    resubmit(VPC_TABLES.memberships.number),
    gotoTable(VPC_TABLES[stage.verdict].number),
  ];
}

/**
 * A known connection keeps to its peering: an answer through another one is from a stranger who has
 * the old peer's addresses by now. Who opens it anew through another peering takes it along.
 */
function verdictFlows(context: VpcContext, stage: Stage): Flow[] {
  const { ordinary, fallback, uncontested } = PRIORITIES;
  const allowed = registerMatch(REGISTERS.verdict, YES);
  const onward = gotoTable(VPC_TABLES[stage.onward].number);
  const flow = (priority: number, match: Match, actions: Action[]) =>
    vpcFlow(context, stage.verdict, ofVpc(context), { priority, match, actions });
  const isNew = { ...allowed, ct_state: "+new+trk" };
  const isSame = { ...allowed, ...registerMatch(REGISTERS.continuity, YES), ct_state: "-new+trk" };
  const isOther = {
    ...allowed,
    ...registerMatch(REGISTERS.continuity, NO),
    ct_state: "-new-rel-rpl+trk",
  };
  return [
    flow(ordinary.value, { icmp: true, ...isNew }, [rememberIcmp(), onward]),
    flow(fallback.value, { ip: true, ...isNew }, [remember(), onward]),
    flow(ordinary.value, { ip: true, ...isSame }, [onward]),
    flow(fallback.value, { ip: true, ...isOther }, [remember(), onward]),
    flow(uncontested.value, { ip: true }, dropFor(stage.refusal)),
  ];
}

function remember(): Action {
  return commit(ZONE_BITS, [move("NXM_NX_REG1", "NXM_NX_CT_MARK")]);
}

function rememberIcmp(): Action {
  return commit(ZONE_BITS, [
    move("NXM_NX_REG1", "NXM_NX_CT_MARK"),
    moveBits("NXM_NX_REG6[0..15]", "NXM_NX_CT_LABEL[0..15]"),
  ]);
}
