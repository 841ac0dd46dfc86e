import type { Draw, Universe } from "./draws.js";
import type { Operation } from "./operations.js";

const VPCS: readonly Operation[] = [
  { kind: "create-vpc", as: "north", block: "10.0.0.0/16" },
  { kind: "create-vpc", as: "south", block: "10.1.0.0/16" },
  { kind: "create-vpc", as: "north", block: "10.2.0.0/16" },
  { kind: "create-vpc", as: "south", block: "10.1.128.0/17" },
];

/**
 * Two VPCs on each side, some of which overlap; one peering that is live with routes, one without:
 * from nothing, most calls lead nowhere.
 */
export const PRELUDE: readonly Draw[] = [
  ...VPCS.map((operation) => () => operation),
  (universe) => request(universe, 0, true),
  (universe) => request(universe, 2, false),
  (universe) => accept(universe, 0, true),
  (universe) => accept(universe, 1, false),
  () => ({ kind: "confirm" }),
];

function request({ vpcs }: Universe, at: number, autoRoutes: boolean): Operation | undefined {
  const [from, to] = [vpcs[at], vpcs[1]];
  if (from === undefined || to === undefined) return undefined;
  const ends = { from: from.id, to: to.id };
  return { kind: "request", as: "north", ...ends, addressee: "south", autoRoutes };
}

function accept({ peerings }: Universe, at: number, autoRoutes: boolean): Operation | undefined {
  const id = peerings[at]?.id;
  return id === undefined ? undefined : { kind: "accept", as: "south", peering: id, autoRoutes };
}
