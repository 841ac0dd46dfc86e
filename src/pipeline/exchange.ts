import type { Cidr } from "../domain/cidr.js";
import type { PeeringIntent, PeeringSide } from "../domain/intent.js";
import { routerMac } from "../domain/mac.js";
import { output } from "../openflow/action.js";
import { encodeCookie } from "../openflow/cookie.js";
import type { Flow } from "../openflow/flow.js";
import { blockPairs } from "./block-pairs.js";
import type { RenderOptions } from "./context.js";
import { LAYOUT } from "./layout.js";
import { blockMatch } from "./match-fields.js";
import { PRIORITIES } from "./priorities.js";
import { tableFlow } from "./table-flow.js";
import { EXCHANGE_TABLES } from "./tables.js";

/** One end of a peering on the exchange. */
interface End {
  readonly side: PeeringSide;
  readonly port: number;
}

/** The flows of the exchange that depend on no peering. */
export function exchangeBaseFlows(options: RenderOptions): Flow[] {
  const miss = tableFlow(EXCHANGE_TABLES, EXCHANGE_TABLES.admission, {
    priority: PRIORITIES.tableMiss.value,
    cookie: encodeCookie({
      mark: options.mark,
      layout: LAYOUT,
      category: "exchange",
      object: 0,
    }),
    match: {},
    actions: [],
  });
  return [miss];
}

/** Both directions of one peering; none unless it is admitted and both uplinks are known. */
export function admissionFlows(
  peering: PeeringIntent,
  uplinks: ReadonlyMap<string, number>,
  options: RenderOptions,
): Flow[] {
  const { requester, accepter, admitted, number } = peering;
  const left = endOf(requester, uplinks);
  const right = endOf(accepter, uplinks);
  if (!admitted || left === undefined || right === undefined) return [];
  const cookie = encodeCookie({
    mark: options.mark,
    layout: LAYOUT,
    category: "peering",
    object: number,
  });
  return blockPairs(requester.blocks, accepter.blocks).flatMap(([a, b]) => [
    admissionFlow(cookie, left, a, right, b),
    admissionFlow(cookie, right, b, left, a),
  ]);
}

function endOf(side: PeeringSide, uplinks: ReadonlyMap<string, number>): End | undefined {
  const port = uplinks.get(side.vpcId);
  return port === undefined ? undefined : { side, port };
}

function admissionFlow(cookie: bigint, from: End, source: Cidr, to: End, target: Cidr): Flow {
  return tableFlow(EXCHANGE_TABLES, EXCHANGE_TABLES.admission, {
    priority: PRIORITIES.ordinary.value,
    cookie,
    match: {
      ip: true,
      in_port: String(from.port),
      dl_src: routerMac(from.side.vpcNumber),
      dl_dst: routerMac(to.side.vpcNumber),
      ...blockMatch("nw_src", source),
      ...blockMatch("nw_dst", target),
    },
    actions: [output(to.port)],
  });
}
