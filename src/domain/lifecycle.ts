import { DomainError } from "./errors.js";

export const PEERING_STATES = [
  "pending-acceptance",
  "provisioning",
  "active",
  "failed",
  "rejected",
  "expired",
  "deleting",
  "deleted",
] as const;

export type PeeringState = (typeof PEERING_STATES)[number];
export type PeeringRole = "requester" | "accepter";

interface ActionRule {
  /** The states in which the action is legal, and who may take it there. */
  readonly from: Partial<Record<PeeringState, readonly PeeringRole[]>>;
  /** The state that the caller was after, for error texts. */
  readonly aims: PeeringState;
  /** States in which the action has already happened: answered with the peering as it is. */
  readonly already: readonly PeeringState[];
}

const EITHER: readonly PeeringRole[] = ["requester", "accepter"];

/** Which action is legal in which state. Guards, error texts, the API description and tests read it. */
export const PEERING_ACTIONS = {
  accept: {
    from: { "pending-acceptance": ["accepter"] },
    aims: "active",
    already: ["provisioning", "active"],
  },
  reject: {
    from: { "pending-acceptance": ["accepter"] },
    aims: "rejected",
    already: [],
  },
  delete: {
    from: {
      "pending-acceptance": ["requester"],
      provisioning: EITHER,
      active: EITHER,
    },
    aims: "deleted",
    already: [],
  },
} as const satisfies Record<string, ActionRule>;

export type PeeringAction = keyof typeof PEERING_ACTIONS;

/** Live peerings hold flows on the switch, block deletion of their VPCs and count against quotas. */
export const LIVE_STATES = ["provisioning", "active", "deleting"] as const satisfies PeeringState[];

/** Whether both sides have agreed to the peering and neither has ended it. */
export function isAgreed(state: PeeringState): boolean {
  return state === "provisioning" || state === "active";
}

/** States that still await something; all others are terminal. */
export const OPEN_STATES = ["pending-acceptance", ...LIVE_STATES] as const satisfies PeeringState[];

export function isTerminal(state: PeeringState): boolean {
  return !(OPEN_STATES as readonly PeeringState[]).includes(state);
}

export type ActionVerdict = "legal" | "already-done";

/**
 * Whether `role` may take `action` on a peering in `state`.
 * @throws DomainError `InvalidStateTransition`; `Forbidden` when only the other side may
 */
export function judgeAction(
  action: PeeringAction,
  state: PeeringState,
  role: PeeringRole,
): ActionVerdict {
  const rule: ActionRule = PEERING_ACTIONS[action];
  const allowed = rule.from[state];
  const mayEver = Object.values(rule.from).some((roles) => roles.includes(role));
  if (!mayEver) {
    throw new DomainError("Forbidden", `only the ${other(role)} may ${action} this peering`);
  }
  if (rule.already.includes(state)) return "already-done";
  if (allowed === undefined || !allowed.includes(role)) {
    const detail = `attempted to transition from ${state} to ${rule.aims}`;
    throw new DomainError("InvalidStateTransition", detail);
  }
  return "legal";
}

/** The rule of an action in words, for the API description. */
export function describeAction(action: PeeringAction): string {
  const { from, already }: ActionRule = PEERING_ACTIONS[action];
  const legal = Object.entries(from).map(([state, roles]) => `${state} (${roles.join(", ")})`);
  const done = already.length === 0 ? "" : ` Already done in: ${already.join(", ")}.`;
  return `Legal in: ${legal.join(", ")}.${done} In any other state: 409 InvalidStateTransition.`;
}

function other(role: PeeringRole): PeeringRole {
  return role === "requester" ? "accepter" : "requester";
}
