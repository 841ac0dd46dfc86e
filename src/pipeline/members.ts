import type { Cidr } from "../domain/cidr.js";
import type { SecurityGroupIntent } from "../domain/intent.js";
import { blocksOf } from "../domain/interface-addresses.js";
import type { Flow } from "../openflow/flow.js";
import { memberActions } from "./conjunctions.js";
import { ofPolicy, type VpcContext, vpcFlow } from "./context.js";
import { blockMatch } from "./match-fields.js";
import { PRIORITIES } from "./priorities.js";
import { REGISTERS, type Role, registerMatch } from "./registers.js";
import { PEER_FIELD, ROLE_OF, roleMatch, TRACKED } from "./rule-match.js";

/** Addresses that rules mean by naming groups that their interfaces are in. */
export interface Member {
  readonly role: Role;
  /** The way to their VPC: another peer may have them too. */
  readonly peering: number;
  readonly block: Cidr;
  readonly groups: number[];
}

/** Each block once, with all groups that some rule of its direction names. */
export function membersOf(context: VpcContext): Member[] {
  const rolesOf = rolesByNamedGroup(groupsInUse(context));
  const members = new Map<string, Member>();
  for (const { group, peering, members: inForce } of context.peerGroups) {
    for (const role of rolesOf.get(group) ?? []) {
      for (const block of inForce.flatMap(blocksOf)) {
        const key = `${role} ${peering} ${block.base}/${block.prefix}`;
        const known = members.get(key);
        if (known === undefined) members.set(key, { role, peering, block, groups: [group] });
        // Several members of a group may share an address.
        else if (known.groups.at(-1) !== group) known.groups.push(group);
      }
    }
  }
  return [...members.values()];
}

/** The rules of a group that nobody is in concern no packet, and may be many. */
export function groupsInUse({ vpc, interfaces }: VpcContext): SecurityGroupIntent[] {
  const numbers = new Set(interfaces.flatMap(({ groups }) => groups));
  return vpc.securityGroups.filter(({ number }) => numbers.has(number));
}

function rolesByNamedGroup(groups: readonly SecurityGroupIntent[]): Map<number, Set<Role>> {
  const roles = new Map<number, Set<Role>>();
  for (const { direction, peer } of groups.flatMap(({ rules }) => rules)) {
    if (peer.kind !== "group") continue;
    roles.set(peer.group, (roles.get(peer.group) ?? new Set()).add(ROLE_OF[direction]));
  }
  return roles;
}

export function memberFlow(context: VpcContext, { role, peering, block, groups }: Member): Flow {
  return vpcFlow(context, "rules", ofPolicy(context.vpc.number), {
    priority: PRIORITIES.fallback.value,
    match: {
      ...TRACKED,
      ...registerMatch(REGISTERS.peering, peering),
      ...roleMatch(role),
      ...blockMatch(PEER_FIELD[role], block),
    },
    actions: memberActions(groups),
  });
}
