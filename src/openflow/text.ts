import type { Flow } from "./flow.js";
import { formatMatch, matchKey } from "./match.js";

export { parseFlow, parseFlows } from "./parse.js";

/**
 * The flow as `ovs-ofctl dump-flows --no-stats` prints it, without the leading blank and with table
 * and priority always present: `cookie=0x5, table=5, priority=100,ip,nw_dst=10.0.0.1 actions=drop`.
 */
export function formatFlow(flow: Flow): string {
  const match = formatMatch(flow.match);
  const extras = (flow.extras ?? []).map((extra) => ` ${extra},`).join("");
  const head = `${formatCookie(flow.cookie)}, table=${flow.table},${extras} priority=${flow.priority}`;
  return `${head}${match === "" ? "" : `,${match}`} actions=${flow.actions}`;
}

/** The line that installs the flow, for `ovs-ofctl --bundle add-flows` (ovs-ofctl(8)). */
export function formatFlowMod(flow: Flow): string {
  const head = [...identity(flow), formatCookie(flow.cookie)];
  return `add ${head.join(",")},actions=${flow.actions}`;
}

/**
 * The line that removes exactly this flow, for `ovs-ofctl --bundle add-flows`. The cookie must
 * match too: a flow that somebody else has put in its place since it was read stays.
 */
export function formatDelete(flow: Flow): string {
  return `delete_strict ${[...identity(flow), `${formatCookie(flow.cookie)}/-1`].join(",")}`;
}

/** What identifies a flow within its bridge, as a map key. */
export function flowKey(flow: Flow): string {
  return `${flow.table}|${flow.priority}|${matchKey(flow.match)}`;
}

/** Whether two flows of one identity are the same: cookie, actions, timeouts and flags. */
export function sameValue(a: Flow, b: Flow): boolean {
  return a.cookie === b.cookie && a.actions === b.actions && extrasKey(a) === extrasKey(b);
}

function identity(flow: Flow): string[] {
  const match = formatMatch(flow.match);
  const head = [`table=${flow.table}`, `priority=${flow.priority}`];
  return match === "" ? head : [...head, match];
}

function formatCookie(cookie: bigint): string {
  return `cookie=0x${cookie.toString(16)}`;
}

function extrasKey(flow: Flow): string {
  return [...(flow.extras ?? [])].sort().join(",");
}
