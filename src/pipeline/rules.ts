import type { RuleIntent, SecurityGroupIntent } from "../domain/intent.js";
import { setRegister } from "../openflow/action.js";
import type { Flow, Match } from "../openflow/flow.js";
import { matchKey } from "../openflow/match.js";
import { Conjunctions } from "./conjunctions.js";
import { ofPolicy, type VpcContext, vpcFlow } from "./context.js";
import { blockMatch } from "./match-fields.js";
import { groupsInUse } from "./members.js";
import { PRIORITIES } from "./priorities.js";
import { REGISTERS, registerMatch, YES } from "./registers.js";
import { PEER_FIELD, ROLE_OF, roleMatch, TRACKED } from "./rule-match.js";
import { trafficMatches } from "./traffic-match.js";

/** Conjunctions of groups have the group's number, those of lists of blocks numbers above these. */
const FIRST_OF_BLOCK_LISTS = 2 ** 31;

/** What the rules of a VPC come to: matches that allow by themselves, and conjunctions. */
interface Allowances {
  readonly matches: Map<string, Match>;
  readonly conjunctions: Conjunctions;
  /** Groups with members that are plugged in. */
  readonly named: ReadonlySet<number>;
}

/**
 * What each group allows. A rule for a group meets that group's members (see members.ts) in a
 * conjunction, so that N members and M rules are N + M flows and not N x M; so do several blocks
 * that are allowed the same range of ports. A rule for a group of which nobody is plugged in is none.
 */
export function ruleFlows(context: VpcContext): Flow[] {
  const allowances: Allowances = {
    matches: new Map(),
    conjunctions: new Conjunctions(),
    named: new Set(context.peerGroups.map(({ group }) => group)),
  };
  for (const group of groupsInUse(context)) {
    for (const rules of bySameTraffic(group.rules)) addRules(allowances, group, rules);
  }
  return [...allowanceFlows(context, allowances), ...conjunctionFlows(context, allowances)];
}

/** Rules of one direction and one kind of traffic stand together. */
function bySameTraffic(rules: readonly RuleIntent[]): Iterable<readonly RuleIntent[]> {
  const found = new Map<string, RuleIntent[]>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.direction, rule.traffic]);
    const same = found.get(key);
    if (same === undefined) found.set(key, [rule]);
    else same.push(rule);
  }
  return found.values();
}

function addRules(
  { matches, conjunctions, named }: Allowances,
  group: SecurityGroupIntent,
  rules: readonly RuleIntent[],
): void {
  const [first] = rules;
  if (first === undefined) return;
  const role = ROLE_OF[first.direction];
  const whose = { ...TRACKED, ...roleMatch(role), ...registerMatch(REGISTERS.group, group.number) };
  const what = trafficMatches(first.traffic).map((traffic) => ({ ...whose, ...traffic }));
  for (const { peer } of rules) {
    if (peer.kind !== "group" || !named.has(peer.group)) continue;
    for (const match of what) conjunctions.add(match, peer.group, "traffic");
  }
  const blocks = rules.flatMap(({ peer }) => (peer.kind === "block" ? [peer.block] : []));
  const peers = blocks.map((block) => blockMatch(PEER_FIELD[role], block));
  if (peers.length * what.length <= peers.length + what.length) {
    for (const match of what.flatMap((each) => peers.map((peer) => ({ ...each, ...peer })))) {
      matches.set(matchKey(match), match);
    }
    return;
  }
  const id = FIRST_OF_BLOCK_LISTS + Math.min(...rules.map(({ number }) => number));
  for (const match of what) conjunctions.add(match, id, "traffic");
  for (const peer of peers) conjunctions.add({ ...whose, ...peer }, id, "peer");
}

function allowanceFlows(context: VpcContext, { matches }: Allowances): Flow[] {
  return [...matches.values()].map((match) =>
    vpcFlow(context, "rules", ofPolicy(context.vpc.number), {
      priority: PRIORITIES.ordinary.value,
      match,
      actions: allow(),
    }),
  );
}

/** Below the others: what is allowed already needs no conjunction. */
function conjunctionFlows(context: VpcContext, { conjunctions }: Allowances): Flow[] {
  const subject = ofPolicy(context.vpc.number);
  const priority = PRIORITIES.fallback.value;
  return [
    ...conjunctions
      .conditions()
      .map(({ match, actions }) =>
        vpcFlow(context, "rules", subject, { priority, match, actions }),
      ),
    ...conjunctions.ids().map((id) =>
      vpcFlow(context, "rules", subject, {
        priority,
        match: { conj_id: String(id) },
        actions: allow(),
      }),
    ),
  ];
}

function allow() {
  return [setRegister(REGISTERS.verdict.field, YES)];
}
