import { byAddress, overlap } from "./blocks.js";
import {
  liveOf,
  type ModelPeering,
  type ModelSide,
  mainTable,
  QUOTAS,
  refuseIf,
  type State,
  touches,
} from "./state.js";

const ANYWHERE = "0.0.0.0/0";

/** Who accepts is told what is in the way of its own routes. */
export function refuseContested(
  state: State,
  peering: ModelPeering,
  own: ModelSide,
  blocks: readonly string[],
): void {
  const contested = blocks.some((block) => contestOf(state, peering, own, block, false) !== null);
  refuseIf(contested, "RouteAlreadyExists");
  const { routes } = mainTable(state, own.vpc);
  refuseIf(routes.length + blocks.length > QUOTAS.routesPerTable, "RouteLimitExceeded");
}

/** Routes to these blocks come by themselves, as far as they take no other peer's traffic and fit. */
export function placeRoutes(
  state: State,
  peering: ModelPeering,
  own: ModelSide,
  blocks: readonly string[],
  later: boolean,
): void {
  const table = mainTable(state, own.vpc);
  const before = new Set(table.routes);
  const [primary = "", ...others] = blocks;
  for (const destination of [primary, ...others.sort(byAddress)]) {
    const byHand = [...before].some(
      (route) => route.destination === destination && route.peering === peering.id,
    );
    if (byHand) continue;
    const contestedBy = contestOf(state, peering, own, destination, later);
    if (contestedBy === null && table.routes.length < QUOTAS.routesPerTable) {
      table.routes.push({ destination, peering: peering.id, origin: "peering" });
    } else {
      table.withheld.push({ destination, peering: peering.id, contestedBy });
      tell(state, own, table.id, `${destination} to ${peering.id}`);
    }
  }
}

/** The peering whose traffic a route would take: one that a route of the table, or its peer, is of. */
function contestOf(
  state: State,
  peering: ModelPeering,
  own: ModelSide,
  block: string,
  later: boolean,
): string | null {
  const { routes } = mainTable(state, own.vpc);
  const equal = routes.find(({ destination }) => destination === block);
  const elsewhere = routes
    .filter((route) => route.peering !== peering.id && overlap(route.destination, block))
    .filter(({ destination }) => later || destination !== ANYWHERE);
  const peers = liveOf(state, own.vpc).filter((other) => {
    if (other.id === peering.id || !touches(other, own.vpc)) return false;
    const { blocks } = other.requester.vpc === own.vpc ? other.accepter : other.requester;
    return blocks.some((theirs) => overlap(theirs, block));
  });
  const [first] = elsewhere.sort((a, b) => byAddress(a.destination, b.destination));
  return equal?.peering ?? first?.peering ?? peers[0]?.id ?? null;
}

function tell(state: State, { tenant }: ModelSide, id: string, after: string): void {
  const tenants = tenant === "north" || tenant === "south" ? [tenant] : [];
  state.events.push({ type: "route", id, action: "withheld", before: null, after, tenants });
}
