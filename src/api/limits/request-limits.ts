import { clientGroup } from "../../domain/clients.js";
import type { Principal } from "../../domain/principal.js";
import { TooManyRequests } from "../problems/too-many-requests.js";
import { Buckets } from "./buckets.js";

/** Requests a second. */
export interface RateLimits {
  /** Of a key, and of an address without one; 0 for no limit at all. */
  readonly perKey: number;
  /** Of all keys of a tenant; 0 for no limit beside that of its keys. */
  readonly perTenant: number;
  /** In milliseconds, never going back; the process's own unless told. */
  readonly now?: () => number;
}

/** About 10 MB. */
const MOST_REMEMBERED = 100_000;

const OPERATOR = "operator";

/** Counts requests by who makes them: by credential, or by address of who has none. */
export class RequestLimits {
  readonly #keys: Buckets | undefined;
  readonly #tenants: Buckets | undefined;
  readonly #addresses: Buckets | undefined;

  constructor({ perKey, perTenant, now = () => performance.now() }: RateLimits) {
    const buckets = (perSecond: number) =>
      perSecond === 0 ? undefined : new Buckets({ perSecond, now, most: MOST_REMEMBERED });
    this.#keys = buckets(perKey);
    this.#tenants = perKey === 0 ? undefined : buckets(perTenant);
    this.#addresses = buckets(perKey);
  }

  /**
   * Counts against the key and its tenant, or, when one of them is used up, against neither.
   * @throws TooManyRequests
   */
  countCaller({ tenantId, accessKeyId = OPERATOR }: Principal): void {
    const pairs: Array<readonly [Buckets | undefined, string]> = [[this.#keys, accessKeyId]];
    if (tenantId !== null) pairs.push([this.#tenants, tenantId]);
    const waits = pairs.map(([buckets, name]) => buckets?.waitMs(name) ?? 0);
    refuseFor(Math.max(...waits));
    for (const [buckets, name] of pairs) buckets?.take(name);
  }

  /**
   * Counts against a client's address.
   * @throws TooManyRequests
   */
  countAddress(address: string): void {
    this.#countName(clientGroup(address));
  }

  /** Reading metrics from this host, whatever else comes from its addresses. */
  countLocalMetrics(): void {
    this.#countName("local metrics");
  }

  #countName(name: string): void {
    refuseFor(this.#addresses?.waitMs(name) ?? 0);
    this.#addresses?.take(name);
  }
}

function refuseFor(waitMs: number): void {
  if (waitMs > 0) throw new TooManyRequests(Math.ceil(waitMs / 1000));
}
