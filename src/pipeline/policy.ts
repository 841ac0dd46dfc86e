import { formatIp } from "../domain/cidr.js";
import { ownIps } from "../domain/interface-addresses.js";
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
import { dropFor } from "./drops.js";
import { blockMatch } from "./match-fields.js";
import { PRIORITIES, pairPriority } from "./priorities.js";
import {
  NO,
  NOTE_BITS,
  OTHER_ZONE_BITS,
  REGISTERS,
  REMEMBERED,
  ROLES,
  type Role,
  registerMatch,
  setZones,
  YES,
  ZONE_BITS,
} from "./registers.js";
import type { SharedBlock } from "./shared-blocks.js";
import { STAGES, type Stage } from "./stages.js";
import { VPC_TABLES } from "./tables.js";

/**
 * Every packet is judged, in whichever direction, by the rules as they are now and by the packet
 * that opened its connection (`ct_nw_src` and its like). So replies need no rule, and a connection
 * ends with the rule, the membership or the peering that allowed it.
 */
export function policyFlows(context: VpcContext): Flow[] {
  return [
    senderFlow(context),
    ...STAGES.flatMap((stage) => [
      ...stateFlows(context, stage),
      ...otherFlows(context, stage),
      ...verdictFlows(context, stage),
      ...roomFlows(context, stage),
    ]),
  ];
}

function senderFlow(context: VpcContext): Flow {
  return vpcFlow(context, "egressTrack", ofVpc(context), {
    priority: PRIORITIES.ordinary.value,
    match: { ip: true },
    actions: [track(ZONE_BITS, VPC_TABLES.egressState.number)],
  });
}

/** Finds the receiver, and its conntrack zones with it. */
export function receiverFlows(context: VpcContext, eni: BoundInterface): Flow[] {
  return ownIps(eni).map((ip) =>
    vpcFlow(context, "ingressTrack", ofInterface(eni), {
      priority: PRIORITIES.ordinary.value,
      match: { ip: true, nw_dst: formatIp(ip) },
      actions: receiveAs(eni),
    }),
  );
}

/** Each of those that share addresses is a receiver: `ct` with a table goes on with a copy. */
export function sharersFlow(context: VpcContext, { block, sharers }: SharedBlock): Flow {
  return vpcFlow(context, "ingressTrack", ofVpc(context), {
    priority: pairPriority(block.prefix),
    match: { ip: true, ...blockMatch("nw_dst", block) },
    actions: sharers.flatMap(receiveAs),
  });
}

function receiveAs(eni: BoundInterface): Action[] {
  return [
    setRegister(REGISTERS.interface.field, eni.number),
    setZones(eni.zones.called, eni.zones.caller),
    track(ZONE_BITS, VPC_TABLES.ingressState.number),
  ];
}

/** What the zone that is asked first does not know is looked up in the other one. */
function stateFlows(context: VpcContext, stage: Stage): Flow[] {
  const { ordinary, exception } = PRIORITIES;
  const flow = (priority: number, match: Match, actions: Action[]) =>
    vpcFlow(context, stage.state, ofVpc(context), { priority, match, actions });
  const lookFurther = (invalid: number) => [
    setRegister(REGISTERS.invalid.field, invalid),
    track(OTHER_ZONE_BITS, VPC_TABLES[stage.other].number),
  ];
  return [
    flow(exception.value, { ip: true, ct_state: "+inv+trk" }, lookFurther(YES)),
    flow(ordinary.value, { ip: true, ct_state: "+new-inv+trk" }, lookFurther(NO)),
    ...KNOWN.map(({ state, role }) =>
      flow(ordinary.value, { ip: true, ct_state: state }, [
        ...recallConnection(),
        ...judgeAs(stage, stage[role]),
      ]),
    ),
  ];
}

/** A connection that is known, in the direction that it was opened and in the other one. */
const KNOWN = [
  { state: "-new-rpl-inv+trk", role: "opening" },
  { state: "-new+rpl-inv+trk", role: "answering" },
] as const;

/**
 * What the first zone calls invalid may be an answer that this one knows. A packet that opens
 * nothing there either is a bad one of a connection that the first zone has.
 */
function otherFlows(context: VpcContext, stage: Stage): Flow[] {
  const { ordinary, fallback, exception } = PRIORITIES;
  const flow = (priority: number, match: Match, actions: Action[]) =>
    vpcFlow(context, stage.other, ofVpc(context), { priority, match, actions });
  const isNew = { ct_state: "+new-inv+trk" };
  const isBad = { ...isNew, ...registerMatch(REGISTERS.invalid, YES) };
  return [
    flow(exception.value, { ip: true, ct_state: "+inv+trk" }, dropFor(stage.refusal)),
    flow(exception.value, { ip: true, ...isBad }, dropFor(stage.refusal)),
    flow(ordinary.value, { icmp: true, ...isNew }, [
      ...note(),
      ...noteIcmp(),
      ...judgeAs(stage, stage.opening),
    ]),
    flow(fallback.value, { ip: true, ...isNew }, [...note(), ...judgeAs(stage, stage.opening)]),
    ...(stage.opening === "caller" ? [pickedUpFlow(flow, stage, isNew)] : []),
    ...KNOWN.map(({ state, role }) =>
      flow(ordinary.value, { ip: true, ct_state: state }, [
        moveBits(OTHER_ZONE_BITS, ZONE_BITS),
        ...recallConnection(),
        ...judgeAs(stage, stage[role]),
      ]),
    ),
  ];
}

/**
 * TCP that is new without a SYN is picked up in the middle: it may well be a late answer, so it takes
 * no room from the calls of the interface. Peers could otherwise make it answer late, and fill that.
 */
function pickedUpFlow(
  flow: (priority: number, match: Match, actions: Action[]) => Flow,
  stage: Stage,
  isNew: Match,
): Flow {
  return flow(PRIORITIES.ordinary.value, { tcp: true, ...isNew, tcp_flags: "-syn" }, [
    moveBits(OTHER_ZONE_BITS, ZONE_BITS),
    ...note(),
    ...judgeAs(stage, stage.opening),
  ]);
}

function note(): Action[] {
  return [setRegister(REGISTERS.notes.field, REMEMBERED)];
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
  const way = move("NXM_NX_REG1", "NXM_NX_CT_MARK");
  const notes = [way, moveBits(NOTE_BITS.register, NOTE_BITS.label)];
  // Whoever needs not ask for room does not wait for it, nor can what was judged change meanwhile.
  const remember = context.options.dropsBeyondRoom
    ? [commit(ZONE_BITS, notes), onward]
    : [commit(ZONE_BITS, notes, VPC_TABLES[stage.room].number)];
  return [
    flow(fallback.value, { ip: true, ...isNew }, remember),
    flow(ordinary.value, { ip: true, ...isSame }, [onward]),
    flow(fallback.value, { ip: true, ...isOther }, [commit(ZONE_BITS, [way]), onward]),
    flow(uncontested.value, { ip: true }, dropFor(stage.refusal)),
  ];
}

/**
 * The userspace datapath lets a packet go on whose connection it does not remember for want of room,
 * without the notes; the kernel's drops it. Its answers would belong to no connection.
 */
function roomFlows(context: VpcContext, stage: Stage): Flow[] {
  const { ordinary, fallback } = PRIORITIES;
  const flow = (priority: number, match: Match, actions: Action[]) =>
    vpcFlow(context, stage.room, ofVpc(context), { priority, match, actions });
  const remembered = `0x${REMEMBERED.toString(16)}`;
  return [
    flow(ordinary.value, { ip: true, ct_label: `${remembered}/${remembered}` }, [
      gotoTable(VPC_TABLES[stage.onward].number),
    ]),
    flow(fallback.value, { ip: true }, dropFor("connectionLimit")),
  ];
}
