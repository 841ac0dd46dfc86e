import { RpcError } from "../json-rpc.js";
import type { Unixctl } from "../unixctl.js";

/** What a zone has of connections, and how many it may have. */
export interface ZoneUse {
  readonly count: number;
  readonly limit: number;
}

/** By zone. Zones that have no limit of their own are not in it. */
export type LimitReading = ReadonlyMap<number, ZoneUse>;

/** The kernel's answer about all zones has to fit into one page: 12 bytes for each. */
const ZONES_AT_ONCE = 200;

/**
 * Reads the limits of conntrack's zones: of all that have one, or where that is more than one answer
 * has room for, of these.
 * @throws RpcError when the datapath knows no limits, Error when the switch does not answer
 */
export async function readLimits(
  unixctl: Pick<Unixctl, "run">,
  datapath: string,
  zones: readonly number[],
): Promise<LimitReading> {
  try {
    return parseLimits(await unixctl.run("dpctl/ct-get-limits", [datapath]));
  } catch (error) {
    if (!(error instanceof RpcError) || zones.length <= ZONES_AT_ONCE) throw error;
  }
  const uses = new Map<number, ZoneUse>();
  for (let from = 0; from < zones.length; from += ZONES_AT_ONCE) {
    const some = zones.slice(from, from + ZONES_AT_ONCE).join(",");
    const text = await unixctl.run("dpctl/ct-get-limits", [datapath, `zone=${some}`]);
    for (const [zone, use] of parseLimits(text)) uses.set(zone, use);
  }
  return uses;
}

/** Lines such as `zone=7,limit=1000,count=12`; the others tell of the default. */
export function parseLimits(text: string): Map<number, ZoneUse> {
  const lines = text.matchAll(/^zone=(\d+),limit=(\d+),count=(\d+)\b/gm);
  return new Map(
    [...lines].map(([, zone, limit, count]) => [
      Number(zone),
      { count: Number(count), limit: Number(limit) },
    ]),
  );
}
