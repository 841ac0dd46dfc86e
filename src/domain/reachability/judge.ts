import { broadcastOf } from "../address-plan.js";
import { containsIp, type Ip, isSameIp } from "../cidr.js";
import type { InterfaceIntent, SubnetIntent, VpcIntent } from "../intent.js";
import { hasAddress, receiversOf } from "../interface-addresses.js";
import { type Choice, contestedBlocks, withContest } from "./contested.js";
import {
  admittedPeerings,
  isContested,
  isIn,
  nextHop,
  type PeeringSeen,
  routeTableId,
} from "./next-hop.js";
import { askerOf, type Facts, isPing, opensConnection, type Question } from "./question.js";
import {
  ambiguousSource,
  blackhole,
  connectionLimit,
  gatewayOnlyAnswersPing,
  noRoute,
  noRouteBack,
  noRule,
  noSuchAddress,
  notAdmitted,
  notPluggedIn,
  notUnicast,
  opensNoConnection,
  portDead,
  routedElsewhere,
  switchOutage,
} from "./reasons.js";
import {
  type AllowingRule,
  allowingRule,
  type Candidate,
  hangsOnPeersGroup,
  membersMeant,
} from "./rules.js";
import type { Hop, Stop, Verdict } from "./verdict.js";

/** Where the first packet of the connection has got to. */
interface Walk {
  readonly facts: Facts;
  readonly question: Question;
  readonly vpc: VpcIntent;
  readonly sender: InterfaceIntent;
  /** The address that it sends from. */
  readonly source: Ip;
  readonly subnet: SubnetIntent;
  readonly hops: Hop[];
  peering: PeeringSeen | undefined;
  /** The VPC that the destination is looked for in. */
  far: VpcIntent;
  receiver: InterfaceIntent | undefined;
  atGateway: boolean;
  egressTellsOfFarSide: boolean;
}

type Step = (walk: Walk) => Stop | undefined;

/** In the order of the data plane: see docs/pipeline.md. */
const STEPS: readonly Step[] = [leave, route, passEgress, cross, arrive, passIngress, comeBack];

/**
 * What intent makes of a question. It follows the first packet of the connection table by table;
 * its answer needs no rule, but a route.
 * @returns undefined when the asker, or a VPC that the way leads to, is not among the facts
 */
export function judge(facts: Facts, question: Question): Verdict | undefined {
  const walk = begin(facts, question);
  if (walk === undefined || !knowsFarSide(walk)) return undefined;
  let stop: Stop | undefined;
  for (const step of STEPS) {
    stop = step(walk);
    if (stop !== undefined || walk.atGateway) break;
  }
  const { hops, peering, receiver, egressTellsOfFarSide } = walk;
  const delivered = stop === undefined || stop.code === "noRouteBack";
  return {
    hops,
    stop:
      stop &&
      withContest(
        stop,
        () => choiceThere(walk),
        () => choiceBack(walk),
      ),
    contested: contestedBlocks(choiceThere(walk)),
    answering: walk.atGateway
      ? "gateway"
      : delivered && receiver !== undefined
        ? { networkInterfaceId: receiver.id }
        : undefined,
    through: peering && {
      vpcPeeringId: peering.id,
      number: peering.number,
      toVpcId: peering.peer.vpcId,
    },
    egressTellsOfFarSide,
  };
}

/** The choice that the sender's table has for the destination. */
function choiceThere({ facts, vpc, subnet, question }: Walk): Choice {
  return choiceOf(facts, vpc, subnet, question.to);
}

/** The one that the receiver's table has for the sender. */
function choiceBack({ facts, far, question, source }: Walk): Choice | undefined {
  const subnet = far.subnets.find(({ block }) => containsIp(block, question.to));
  return subnet && choiceOf(facts, far, subnet, source);
}

function choiceOf(facts: Facts, vpc: VpcIntent, subnet: SubnetIntent, address: Ip): Choice {
  return {
    address,
    routeTableId: routeTableId(vpc, subnet),
    peerings: admittedPeerings(facts.peerings, vpc.id),
    withheld: facts.withheld ?? [],
  };
}

/** The VPC that the routes lead to beyond a peering; undefined when they stay or lead nowhere. */
export function farVpcId(facts: Facts, question: Question): string | undefined {
  const walk = begin(facts, question);
  return walk === undefined ? undefined : peeringOf(walk)?.peer.vpcId;
}

function begin(facts: Facts, question: Question): Walk | undefined {
  const asker = askerOf(facts, question);
  if (asker === undefined) return undefined;
  const { vpc, sender } = asker;
  const subnet = vpc.subnets.find(({ id }) => id === sender.subnetId);
  if (subnet === undefined) return undefined;
  return {
    facts,
    question,
    vpc,
    sender,
    source: question.source ?? sender.ip,
    subnet,
    hops: [],
    peering: undefined,
    far: vpc,
    receiver: undefined,
    atGateway: false,
    egressTellsOfFarSide: false,
  };
}

function peeringOf({ facts, vpc, subnet, question }: Walk): PeeringSeen | undefined {
  const number = nextHop(vpc, subnet, question.to)?.peering;
  return admittedPeerings(facts.peerings, vpc.id).find((peering) => peering.number === number);
}

function knowsFarSide(walk: Walk): boolean {
  const peering = peeringOf(walk);
  return peering === undefined || walk.facts.vpcs.has(peering.peer.vpcId);
}

function leave(walk: Walk): Stop | undefined {
  const { facts, question, vpc, sender, source, subnet, hops } = walk;
  if (facts.outage !== undefined) return switchOutage(facts.outage);
  if (!facts.isPluggedIn(sender.id)) return notPluggedIn("senderNotPluggedIn", sender.id, false);
  const message = facts.deadPort?.(sender.id);
  if (message !== undefined)
    return portDead("senderPortDead", sender.id, { message, beyond: false });
  hops.push(interfaceHop(vpc, sender, source), subnetHop(vpc, subnet));
  return isUnicast(question.to, subnet) ? undefined : notUnicast(question.to);
}

/** A host sends these to many, and not to its router, which is all that the spoof guard lets out. */
function isUnicast(to: Ip, { block }: SubnetIntent): boolean {
  return to.value < MULTICAST && !isSameIp(to, broadcastOf(block));
}

/** 224.0.0.0/4, and above it what is reserved, and the limited broadcast. */
const MULTICAST = 0xe0000000n;

function route(walk: Walk): Stop | undefined {
  const { facts, question, vpc, subnet, hops } = walk;
  const { to, meantVpcId } = question;
  if (isGateway(vpc, to) && isPing(question.opening)) return reachGateway(walk);
  const hop = nextHop(vpc, subnet, to);
  const table = routeTableId(vpc, subnet);
  const peerings = admittedPeerings(facts.peerings, vpc.id);
  if (hop === undefined) return noRoute(table, to, peerings);
  walk.peering = peerings.find(({ number }) => number === hop.peering);
  const isLocal = hop.peering === 0;
  if (!isLocal && walk.peering === undefined) return blackhole(table, hop.destination, to);
  hops.push({
    kind: "route",
    vpcId: vpc.id,
    routeTableId: table,
    destination: hop.destination,
    vpcPeeringId: walk.peering?.id,
  });
  const leadsTo = walk.peering?.peer.vpcId ?? vpc.id;
  walk.far = facts.vpcs.get(leadsTo) ?? vpc;
  if (meantVpcId === undefined || meantVpcId === leadsTo) return undefined;
  return routedElsewhere(to, { table, via: walk.peering?.id, meantVpcId });
}

function isGateway({ subnets }: VpcIntent, to: Ip): boolean {
  return subnets.some(({ gateway }) => gateway.value === to.value);
}

/** The router answers before it asks any security group. */
function reachGateway(walk: Walk): undefined {
  walk.atGateway = true;
  walk.hops.push({ kind: "gateway", vpcId: walk.vpc.id, ip: walk.question.to });
}

function passEgress(walk: Walk): Stop | undefined {
  const { vpc, sender: eni, question, peering } = walk;
  const { to: other, opening } = question;
  if (!opensConnection(opening)) return opensNoConnection(opening);
  const otherGroups = candidatesFor(walk).flatMap(({ groups }) => groups);
  const candidate: Candidate = {
    vpc,
    eni,
    direction: "egress",
    other,
    otherGroups,
    peering: peering?.number ?? 0,
    opening,
  };
  const crosses = peering === undefined || peering.settling || isIn(peering.peer.blocks, other);
  walk.egressTellsOfFarSide = crosses && hangsOnPeersGroup(candidate);
  return passRules(walk, candidate);
}

function passRules(walk: Walk, candidate: Candidate): Stop | undefined {
  const { vpc, eni, direction } = candidate;
  const found = allowingRule(candidate);
  const beyond = direction === "ingress" && isBeyond(walk);
  if (found === undefined) return noRule(candidate, beyond);
  const stop = memberNotPluggedIn(walk, candidate, found);
  if (stop !== undefined) return stop;
  walk.hops.push({
    kind: "rule",
    vpcId: vpc.id,
    direction,
    securityGroupId: found.securityGroupId,
    securityGroupRuleId: found.rule.id,
    byGroup: found.rule.peer.kind === "group",
  });
  const role = direction === "egress" ? "caller" : "called";
  return walk.facts.isFull(eni.id, role) ? connectionLimit(candidate, beyond) : undefined;
}

/** Only members that are plugged in have flows; of a sender that has been asked before. */
function memberNotPluggedIn(
  walk: Walk,
  candidate: Candidate,
  found: AllowingRule,
): Stop | undefined {
  const [member, ...others] = membersMeant(candidate, found);
  if (member === undefined) return undefined;
  if ([member, ...others].some(({ id }) => walk.facts.isPluggedIn(id))) return undefined;
  const stop = notPluggedIn("receiverNotPluggedIn", member.id, isBeyond(walk));
  return { ...stop, atEgress: true };
}

/** Out of the VPC, through the exchange, and into the other one, which minds whom its routes mean. */
function cross(walk: Walk): Stop | undefined {
  const { facts, peering, vpc, source, far, question, hops } = walk;
  if (peering === undefined) return undefined;
  const { own, peer, id, number } = peering;
  if (!isIn(own.blocks, source)) return notAdmitted(source, peering, "own");
  if (!isIn(peer.blocks, question.to)) return notAdmitted(question.to, peering, "peer");
  hops.push({ kind: "peering", vpcPeeringId: id, fromVpcId: vpc.id, toVpcId: far.id });
  const subnet = far.subnets.find(({ block }) => containsIp(block, question.to));
  if (subnet === undefined) return noSuchAddress(question.to, far.id, true);
  if (!isContested(admittedPeerings(facts.peerings, far.id), number)) return undefined;
  if (nextHop(far, subnet, source)?.peering === number) return undefined;
  return ambiguousSource(source, { vpcId: far.id, table: routeTableId(far, subnet), via: id });
}

function arrive(walk: Walk): Stop | undefined {
  const { facts, far, question, hops } = walk;
  const { to } = question;
  const receiver = receiverFor(walk);
  if (receiver === undefined && isGateway(far, to)) {
    return gatewayOnlyAnswersPing(to, isBeyond(walk));
  }
  if (receiver === undefined) return noSuchAddress(to, far.id, isBeyond(walk));
  const subnet = far.subnets.find(({ id }) => id === receiver.subnetId);
  if (subnet !== undefined) hops.push(subnetHop(far, subnet));
  walk.receiver = receiver;
  const beyond = isBeyond(walk);
  if (!facts.isPluggedIn(receiver.id)) {
    return notPluggedIn("receiverNotPluggedIn", receiver.id, beyond);
  }
  const message = facts.deadPort?.(receiver.id);
  if (message === undefined) return undefined;
  return portDead("receiverPortDead", receiver.id, { message, beyond });
}

function passIngress(walk: Walk): Stop | undefined {
  const { far: vpc, receiver: eni, question } = walk;
  if (eni === undefined) return undefined;
  const stop = passRules(walk, ingressCandidate(walk, eni));
  if (stop === undefined) walk.hops.push(interfaceHop(vpc, eni, question.to));
  return stop;
}

function ingressCandidate(
  { far: vpc, sender, source, peering, question }: Walk,
  eni: InterfaceIntent,
): Candidate {
  return {
    vpc,
    eni,
    direction: "ingress",
    other: source,
    otherGroups: sender.groups,
    peering: peering?.number ?? 0,
    opening: question.opening,
  };
}

/** Those whose address it is, as far as they are plugged in; if nobody is, as they would be. */
function candidatesFor({ facts, far, sender, question }: Walk): InterfaceIntent[] {
  const all = far.interfaces.filter((eni) => hasAddress(eni, question.to));
  const present = all.filter(({ id }) => facts.isPluggedIn(id));
  const receivers = receiversOf(present.length === 0 ? all : present, question.to);
  // A switch sends nothing back by the port that it came from.
  return receivers.filter(({ id }) => id !== sender.id);
}

/** Of those that share the address, one that its rules let have the packet, if there is one. */
function receiverFor(walk: Walk): InterfaceIntent | undefined {
  const candidates = candidatesFor(walk);
  const admits = (eni: InterfaceIntent) =>
    allowingRule(ingressCandidate(walk, eni)) !== undefined &&
    walk.facts.deadPort?.(eni.id) === undefined;
  return candidates.find(admits) ?? candidates[0];
}

/** A connection keeps to its peering: an answer that takes another way belongs to nobody. */
function comeBack(walk: Walk): Stop | undefined {
  const { far, receiver, source, peering, hops } = walk;
  const subnet = far.subnets.find(({ id }) => id === receiver?.subnetId);
  if (subnet === undefined) return undefined;
  const back = nextHop(far, subnet, source);
  const table = routeTableId(far, subnet);
  if (back === undefined || back.peering !== (peering?.number ?? 0)) {
    return noRouteBack(source, { table, via: peering?.id, found: back });
  }
  const { destination } = back;
  const vpcPeeringId = peering?.id;
  hops.push({ kind: "routeBack", vpcId: far.id, routeTableId: table, destination, vpcPeeringId });
  return undefined;
}

function isBeyond({ peering }: Walk): boolean {
  return peering !== undefined;
}

function interfaceHop({ id: vpcId }: VpcIntent, { id }: InterfaceIntent, ip: Ip): Hop {
  return { kind: "interface", vpcId, networkInterfaceId: id, ip };
}

function subnetHop({ id: vpcId }: VpcIntent, { id: subnetId, block }: SubnetIntent): Hop {
  return { kind: "subnet", vpcId, subnetId, block };
}
