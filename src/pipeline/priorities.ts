export interface Priority {
  readonly value: number;
  readonly use: string;
}

/** Every priority in use, lowest first, except those of prefixes: see the functions below. */
export const PRIORITIES = {
  tableMiss: {
    value: 0,
    use: "drops what nothing else matched, and counts it",
  },
  uncontested: {
    value: 1,
    use: "returnRoute: peers whose blocks no other peer has need no route back",
  },
  unrouted: {
    value: 2,
    use: "returnRoute: drops what no route of the receiving subnet leads back to",
  },
  fallback: {
    value: 50,
    use: "what a table does with packets that its ordinary flows left; conjunctions of rules",
  },
  ordinary: { value: 100, use: "the work of a table; what lets peers talk" },
  exception: {
    value: 200,
    use: "answers and refusals that must win over ordinary flows",
  },
} as const satisfies Record<string, Priority>;

/** Of address pairs, the longest prefix first; whoever has the address as his own comes before. */
export function pairPriority(prefix: number): number {
  return PRIORITIES.fallback.value + prefix;
}

/** Above all answers to ARP; blocks within blocks have theirs apart. */
export function announcementPriority(prefix: number): number {
  return PRIORITIES.exception.value + prefix;
}

/** Above the two priorities that part the contested from the others. */
export function returnRoutePriority(prefix: number): number {
  return prefix + 3;
}

/** One more than the prefix length: a default route must win over the table miss. */
export function routePriority(prefix: number): number {
  return prefix + 1;
}
