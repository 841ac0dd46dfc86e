import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ACCESS_KEY_ID_PATTERN,
  ID_PREFIXES,
  type IdKind,
  idPattern,
  newAccessKeyId,
  newId,
  newTenantId,
  TENANT_ID_PATTERN,
} from "../../../src/domain/ids.js";
import { MAC_PATTERN, macProblem, randomInterfaceMac, routerMac } from "../../../src/domain/mac.js";

const kinds = Object.keys(ID_PREFIXES) as IdKind[];

describe("identifiers", () => {
  it.each(kinds)("of a %s match their own pattern and no other kind's", (kind) => {
    for (let i = 0; i < 200; i += 1) {
      const id = newId(kind);
      expect(kinds.filter((other) => idPattern(other).test(id))).toEqual([kind]);
    }
  });

  it("are not matched inside other text", () => {
    expect(idPattern("vpc").test(`${newId("vpc")}0`)).toBe(false);
    expect(idPattern("vpc").test(newId("vpc").toUpperCase())).toBe(false);
  });

  it("of tenants are 12 digits, of access keys 20 characters", () => {
    expect(newTenantId()).toMatch(TENANT_ID_PATTERN);
    expect(newAccessKeyId()).toMatch(ACCESS_KEY_ID_PATTERN);
  });
});

describe("MAC addresses", () => {
  it("of routers are distinct, local, unicast and barred from interfaces", () => {
    const number = fc.integer({ min: 1, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(routerMac(a)).toMatch(MAC_PATTERN);
        expect(routerMac(a) === routerMac(b)).toBe(a === b);
        expect(Number.parseInt(routerMac(a).slice(0, 2), 16) & 3).toBe(2);
        expect(macProblem(routerMac(a))).toBeDefined();
      }),
    );
  });

  it("of interfaces are usable as they are made", () => {
    const mac = randomInterfaceMac();
    expect(mac).toMatch(MAC_PATTERN);
    expect(macProblem(mac)).toBeUndefined();
  });

  it.each(["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "00:00:00:00:00:00"])(
    "%s is refused",
    (mac) => {
      expect(macProblem(mac)).toBeDefined();
    },
  );
});
