import { type CookieCategory, encodeCookie } from "../../../src/openflow/cookie.js";
import type { Flow } from "../../../src/openflow/flow.js";

const MARK = 0xabcdef;

/** A flow that a release with some layout has made. */
export function inLayout(
  layout: number,
  table: number,
  subject: { readonly category: CookieCategory; readonly object: number } = {
    category: "vpc",
    object: 1,
  },
): Flow {
  const cookie = encodeCookie({ mark: MARK, layout, ...subject });
  return { table, priority: 100, cookie, match: { ip: true }, actions: "drop" };
}
