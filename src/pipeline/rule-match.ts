import type { RuleIntent } from "../domain/intent.js";
import type { Match } from "../openflow/flow.js";
import { REGISTERS, ROLES, type Role, registerMatch } from "./registers.js";

/** The connection is known, or about to be: without this its fields cannot be matched. */
export const TRACKED: Match = { ip: true, ct_state: "-inv+trk" };

/** What an interface is in the connections that a rule is about. */
export const ROLE_OF = { egress: "caller", ingress: "called" } as const satisfies Record<
  RuleIntent["direction"],
  Role
>;

/** Where the other end's address is found. */
export const PEER_FIELD = { caller: "ct_nw_dst", called: "ct_nw_src" } as const;

export function roleMatch(role: Role): Match {
  return registerMatch(REGISTERS.role, ROLES[role]);
}
