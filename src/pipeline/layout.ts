import { decodeCookie } from "../openflow/cookie.js";
import type { Flow } from "../openflow/flow.js";

/**
 * The layout of the pipeline: which tables and registers a VPC's bridge has, and what they mean.
 * Every flow tells it in its cookie. Raise it with any change to them, or a packet that conntrack
 * hands back goes on among tables that mean something else: docs/adr/0018-layouts.md.
 */
export const LAYOUT = 4;

/** Where packets enter a bridge, in every layout. */
export const ENTRY_TABLE = 0;

/** Seven layouts fit into the 254 tables of a bridge before numbers come round again. */
const TABLES_PER_LAYOUT = 32;
const LAYOUTS_APART = 7;

/**
 * The number of a table by its place among the others. Apart from the first one, the tables of a
 * layout have numbers that its neighbours do not use.
 * @throws RangeError when the layout has no room for so many
 */
export function tableNumber(place: number, layout: number = LAYOUT): number {
  if (place >= TABLES_PER_LAYOUT) throw new RangeError(`table ${place} does not fit its layout`);
  return place === 0 ? ENTRY_TABLE : firstOf(layout) + place;
}

export function isOfOtherLayout({ cookie }: Pick<Flow, "cookie">): boolean {
  return decodeCookie(cookie).layout !== LAYOUT;
}

/**
 * Whether an own flow that is not desired may stay until packets on their way have passed it: one of
 * another layout, in a table that no packet that enters from now on gets to.
 */
export function isLeftBehind(flow: Pick<Flow, "cookie" | "table">): boolean {
  return isOfOtherLayout(flow) && !hasTable(flow.table);
}

function hasTable(number: number): boolean {
  const place = number - firstOf(LAYOUT);
  return number === ENTRY_TABLE || (place > 0 && place < TABLES_PER_LAYOUT);
}

function firstOf(layout: number): number {
  return ((layout - 1) % LAYOUTS_APART) * TABLES_PER_LAYOUT;
}
