import { beforeEach, describe, expect, it } from "vitest";
import { DomainError } from "../../../../src/domain/errors.js";
import type { Principal } from "../../../../src/domain/principal.js";
import { DEFAULT_QUOTAS, type Quotas } from "../../../../src/domain/quotas.js";
import { StreamPlaces } from "../../../../src/services/streams/places.js";

const OPERATOR: Principal = { tenantId: null, roles: ["operator"], permissions: new Set() };

function keyOf(tenant: number, key = 0): Principal {
  const accessKeyId = `key-${tenant}-${key}`;
  return { tenantId: `tenant-${tenant}`, accessKeyId, roles: ["admin"], permissions: new Set() };
}

function placesFor(quotas: Partial<Quotas> = {}): StreamPlaces {
  return new StreamPlaces({ ...DEFAULT_QUOTAS, ...quotas });
}

/** Takes as many as it gets. */
function takeAll(places: StreamPlaces, callers: readonly Principal[], most = 2000): number {
  let taken = 0;
  for (const caller of callers) {
    for (let more = true; more && taken < most; ) {
      more = gets(places, caller);
      if (more) taken += 1;
    }
  }
  return taken;
}

function gets(places: StreamPlaces, caller: Principal): boolean {
  try {
    places.take(caller);
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.code === "TooManyStreams") return false;
    throw error;
  }
}

const keysOf = (tenant: number) => Array.from({ length: 10 }, (_, key) => keyOf(tenant, key));

describe("places of event streams", () => {
  let places: StreamPlaces;

  beforeEach(() => {
    places = placesFor();
  });

  it("are so many for a credential, the operator's too, and so many for all of a tenant", () => {
    expect(takeAll(places, [keyOf(1)])).toBe(16);
    expect(takeAll(places, keysOf(1))).toBe(48);
    expect(takeAll(places, [OPERATOR])).toBe(16);
    expect(takeAll(places, [keyOf(2)])).toBe(16);
  });

  it("say which of them are taken", () => {
    takeAll(places, [keyOf(1)]);
    expect(() => places.take(keyOf(1))).toThrow("16 event streams of a credential");
    takeAll(places, keysOf(1));
    expect(() => places.take(keyOf(1, 20))).toThrow("64 event streams of a tenant");
  });

  it("are there again once given back, and only once", () => {
    const back = places.take(keyOf(1));
    takeAll(places, [keyOf(1)]);
    expect(gets(places, keyOf(1))).toBe(false);
    back();
    back();
    expect(takeAll(places, [keyOf(1)])).toBe(1);
    expect(places.taken).toBe(16);
  });

  it("are left for the operator and for tenants that have few, whatever the others do", () => {
    const greedy = Array.from({ length: 40 }, (_, tenant) => keysOf(tenant)).flat();
    const taken = takeAll(places, greedy);
    expect(taken).toBeLessThanOrEqual(1024 - 16);
    const late = Array.from({ length: 20 }, (_, tenant) => keyOf(100 + tenant));
    expect(late.every((caller) => gets(places, caller))).toBe(true);
    expect(takeAll(places, [OPERATOR])).toBe(16);
    const [first = OPERATOR] = greedy;
    expect(gets(places, first)).toBe(false);
  });

  it("are never all the operator's, nor one tenant's, however few there are", () => {
    const few = placesFor({ streams: 8 });
    expect(takeAll(few, keysOf(1))).toBe(5);
    expect(gets(few, keyOf(2))).toBe(true);
    expect(takeAll(few, [OPERATOR])).toBe(2);
    expect(gets(placesFor({ streams: 1 }), keyOf(1))).toBe(true);
  });

  it("are taken by none who is refused", () => {
    const one = placesFor({ streamsPerKey: 1, streamsPerTenant: 2 });
    takeAll(one, [keyOf(1)]);
    for (let attempt = 0; attempt < 5; attempt += 1) expect(gets(one, keyOf(1))).toBe(false);
    expect(one.taken).toBe(1);
    expect(gets(one, keyOf(1, 1))).toBe(true);
  });
});
