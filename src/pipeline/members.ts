import { formatIp, type Ip } from "../domain/cidr.js";
import type { SecurityGroupIntent } from "../domain/intent.js";
import type { Flow } from "../openflow/flow.js";
import { memberActions } from "./conjunctions.js";
import { ofPolicy, type VpcContext, vpcFlow } from "./context.js";
import { PRIORITIES } from "./priorities.js";
import { REGISTERS, type Role, registerMatch } from "./registers.js";
import { PEER_FIELD, ROLE_OF, roleMatch, TRACKED } from "./rule-match.js";

/** An address that rules mean by naming groups that it is in. */
export interface Member {
  readonly role: Role;
  /** The way to its VPC: another peer may have its address too. */
  readonly peering: number;
  readonly address: Ip;
  readonly groups: number[];
}

/** Each address once, with all groups that some rule of its direction names. */
export function membersOf(context: VpcContext): Member[] {
  const rolesOf = rolesByNamedGroup(groupsInUse(context));
  const members = new Map<string, Member>();
  for (const { group, peering, members: inForce } of context.peerGroups) {
    for (const role of rolesOf.get(group) ?? []) {
      for (const { ip: address } of inForce) {
        const key = `${role} ${peering} ${address.value}`;
        const known = members.get(key);
        if (known === undefined) members.set(key, { role, peering, address, groups: [group] });
        else known.groups.push(group);
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

export function memberFlow(context: VpcContext, { role, peering, address, groups }: Member): Flow {
  return vpcFlow(context, "rules", ofPolicy(context.vpc.number), {
    priority: PRIORITIES.fallback.value,
    match: {
      ...TRACKED,
      ...registerMatch(REGISTERS.peering, peering),
      ...roleMatch(role),
      [PEER_FIELD[role]]: formatIp(address),
    },
    actions: memberActions(groups),
  });
}
