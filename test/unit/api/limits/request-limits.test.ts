import { describe, expect, test } from "vitest";
import { type RateLimits, RequestLimits } from "../../../../src/api/limits/request-limits.js";
import { TooManyRequests } from "../../../../src/api/problems/too-many-requests.js";
import type { Principal } from "../../../../src/domain/principal.js";

const key = (tenantId: string | null, accessKeyId?: string): Principal => ({
  tenantId,
  roles: [],
  permissions: new Set(),
  ...(accessKeyId !== undefined && { accessKeyId }),
});

/** The clock stands still. */
const limitsOf = (limits: RateLimits) => new RequestLimits({ ...limits, now: () => 0 });

function passed(times: number, count: () => void): number {
  let done = 0;
  for (let i = 0; i < times; i += 1) {
    try {
      count();
      done += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(TooManyRequests);
    }
  }
  return done;
}

describe("limits of requests", () => {
  test("a key has its own, and all keys of a tenant have one together", () => {
    const limits = limitsOf({ perKey: 5, perTenant: 8 });
    const [a, b, c] = [key("1", "A"), key("1", "B"), key("2", "C")] as const;
    expect(passed(10, () => limits.countCaller(a))).toBe(5);
    expect(passed(10, () => limits.countCaller(b))).toBe(3);
    expect(passed(10, () => limits.countCaller(c))).toBe(5);
    expect(passed(10, () => limits.countCaller(key(null)))).toBe(5);
  });

  test("what is refused for the tenant does not use up the key, nor the other way round", () => {
    let ms = 0;
    const limits = new RequestLimits({ perKey: 5, perTenant: 6, now: () => ms });
    const [a, b] = [key("1", "A"), key("1", "B")] as const;
    expect(passed(1000, () => limits.countCaller(a))).toBe(5);
    expect(passed(1000, () => limits.countCaller(b))).toBe(1);
    ms += 1000;
    expect(passed(1000, () => limits.countCaller(b))).toBe(5);
    expect(passed(1000, () => limits.countCaller(a))).toBe(1);
  });

  test.each([
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "::ffff:192.0.2.1", true],
    ["192.0.2.1", "::ffff:c000:201", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
    ["2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", true],
    ["2001:db8:0:1::1", "2001:db8:0:2::1", false],
    ["unknown", "unknown", true],
  ])("%s and %s are one client: %s", (one, other, same) => {
    const limits = limitsOf({ perKey: 1, perTenant: 1 });
    limits.countAddress(one);
    expect(passed(1, () => limits.countAddress(other))).toBe(same ? 0 : 1);
  });

  test("zero for a key's turns all of them off, zero for a tenant's only that", () => {
    const none = limitsOf({ perKey: 0, perTenant: 1 });
    expect(passed(100, () => none.countCaller(key("1", "A")))).toBe(100);
    expect(passed(100, () => none.countAddress("192.0.2.1"))).toBe(100);
    expect(passed(100, () => none.countLocalMetrics())).toBe(100);
    const keysOnly = limitsOf({ perKey: 5, perTenant: 0 });
    for (const id of ["A", "B", "C"]) {
      expect(passed(100, () => keysOnly.countCaller(key("1", id)))).toBe(5);
    }
  });

  test("who is refused is told whole seconds", () => {
    const limits = limitsOf({ perKey: 1, perTenant: 1 });
    limits.countAddress("192.0.2.1");
    expect(() => limits.countAddress("192.0.2.1")).toThrow("try again in 1 s");
  });
});
