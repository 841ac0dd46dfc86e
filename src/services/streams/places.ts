import type { Principal } from "../../domain/principal.js";
import { type Quotas, quotaExceeded } from "../../domain/quotas.js";

/** Of the tenants' places the last fourth is for those that have few. */
const SCARCE = 1 / 4;
const FEW = 1 / 16;

/** A place is free again when some stream ends, which no clock tells. */
const RETRY_SECONDS = 5;

const OPERATOR = "operator";

/**
 * Who has how many event streams open. Some of the daemon's places are the operator's alone, and the
 * last ones of the tenants are kept from those that have many: so that nobody can shut others out.
 */
export class StreamPlaces {
  readonly #quotas: Quotas;
  readonly #byKey = new Map<string, number>();
  readonly #byTenant = new Map<string, number>();
  #all = 0;
  #tenants = 0;

  constructor(quotas: Quotas) {
    this.#quotas = quotas;
  }

  get taken(): number {
    return this.#all;
  }

  /**
   * Takes a place.
   * @returns what gives it back, once, however often it is called
   * @throws DomainError `TooManyStreams`
   */
  take({ tenantId, accessKeyId }: Principal): () => void {
    const key = accessKeyId ?? OPERATOR;
    requirePlace(this.#quotas, "streamsPerKey", this.#byKey.get(key) ?? 0);
    if (tenantId !== null) this.#requireTenantPlace(this.#byTenant.get(tenantId) ?? 0);
    requirePlace(this.#quotas, "streams", this.#all);
    this.#count(key, tenantId, 1);
    let given = false;
    return () => {
      if (!given) this.#count(key, tenantId, -1);
      given = true;
    };
  }

  #requireTenantPlace(present: number): void {
    const { streamsPerKey, streamsPerTenant, streams } = this.#quotas;
    requirePlace(this.#quotas, "streamsPerTenant", present);
    const forTenants = streams - Math.min(streamsPerKey, Math.floor(streams * SCARCE));
    const few = Math.max(1, Math.floor(streamsPerTenant * FEW));
    const open = present < few ? forTenants : Math.ceil(forTenants * (1 - SCARCE));
    requirePlace({ ...this.#quotas, streams: open }, "streams", this.#tenants);
  }

  #count(key: string, tenantId: string | null, change: 1 | -1): void {
    add(this.#byKey, key, change);
    this.#all += change;
    if (tenantId === null) return;
    add(this.#byTenant, tenantId, change);
    this.#tenants += change;
  }
}

type StreamQuota = "streamsPerKey" | "streamsPerTenant" | "streams";

function requirePlace(quotas: Quotas, quota: StreamQuota, taken: number): void {
  if (taken < quotas[quota]) return;
  throw quotaExceeded(quotas, quota, { retryAfterSeconds: RETRY_SECONDS });
}

function add(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
