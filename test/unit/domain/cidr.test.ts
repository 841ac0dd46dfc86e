import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addressAt,
  addressCount,
  type Cidr,
  cidr,
  contains,
  containsIp,
  findOverlap,
  formatCidr,
  formatIp,
  netmask,
  overlaps,
  parseCidr,
  parseIp,
} from "../../../src/domain/cidr.js";

/** Blocks from a small corner of each family, so that overlaps are common and can be enumerated. */
const smallBlock4 = fc
  .record({ host: fc.integer({ min: 0, max: 255 }), prefix: fc.integer({ min: 24, max: 32 }) })
  .map(({ host, prefix }) => block(4, 0x0a000000n + BigInt(host), prefix));
const smallBlock6 = fc
  .record({ host: fc.integer({ min: 0, max: 255 }), prefix: fc.integer({ min: 120, max: 128 }) })
  .map(({ host, prefix }) => block(6, (0xfd00n << 112n) + BigInt(host), prefix));
const smallBlock = fc.oneof(smallBlock4, smallBlock6);

function block(family: 4 | 6, value: bigint, prefix: number): Cidr {
  return { family, base: value & netmask(family, prefix), prefix };
}

/** The oracle: every address, one by one. */
function addresses(of: Cidr): Set<string> {
  const all = Array.from({ length: Number(addressCount(of)) }, (_, i) => addressAt(of, BigInt(i)));
  return new Set(all.map((ip) => `${ip.family}:${ip.value}`));
}

describe("CIDR arithmetic against a brute-force oracle", () => {
  it("finds overlap exactly when an address is shared", () => {
    fc.assert(
      fc.property(smallBlock, smallBlock, (a, b) => {
        const ofB = addresses(b);
        const shared = [...addresses(a)].some((address) => ofB.has(address));
        expect(overlaps(a, b)).toBe(shared);
        expect(overlaps(b, a)).toBe(shared);
      }),
    );
  });

  it("finds containment exactly when every address is inside", () => {
    fc.assert(
      fc.property(smallBlock, smallBlock, (outer, inner) => {
        const ofOuter = addresses(outer);
        const every = [...addresses(inner)].every((address) => ofOuter.has(address));
        expect(contains(outer, inner)).toBe(every);
      }),
    );
  });

  it("knows its own addresses and no others", () => {
    fc.assert(
      fc.property(smallBlock4, fc.integer({ min: 0, max: 255 }), (of, host) => {
        const ip = { family: 4 as const, value: 0x0a000000n + BigInt(host) };
        expect(containsIp(of, ip)).toBe(addresses(of).has(`4:${ip.value}`));
      }),
    );
  });

  it("names a pair that overlaps, when there is one", () => {
    fc.assert(
      fc.property(fc.array(smallBlock), fc.array(smallBlock), (left, right) => {
        const pair = findOverlap(left, right);
        const overlapping = left.some((a) => right.some((b) => overlaps(a, b)));
        expect(pair !== undefined).toBe(overlapping);
        fc.pre(pair !== undefined);
        expect(left).toContain(pair[0]);
        expect(right).toContain(pair[1]);
        expect(overlaps(...pair)).toBe(true);
      }),
    );
  });
});

describe("text", () => {
  it("survives a round trip in both families", () => {
    const any = fc.oneof(
      fc
        .record({ value: fc.bigInt(0n, 2n ** 32n - 1n), prefix: fc.integer({ min: 0, max: 32 }) })
        .map(({ value, prefix }) => block(4, value, prefix)),
      fc
        .record({ value: fc.bigInt(0n, 2n ** 128n - 1n), prefix: fc.integer({ min: 0, max: 128 }) })
        .map(({ value, prefix }) => block(6, value, prefix)),
    );
    fc.assert(
      fc.property(any, (of) => {
        expect(parseCidr(formatCidr(of))).toEqual({ block: of, canonical: true });
        expect(cidr(formatCidr(of))).toEqual(of);
      }),
    );
  });

  it("tells host bits from a canonical block", () => {
    const parsed = parseCidr("10.0.0.1/16");
    expect(parsed?.canonical).toBe(false);
    expect(parsed && formatCidr(parsed.block)).toBe("10.0.0.0/16");
  });

  it.each([
    "",
    "banana",
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/16/16",
    "10.0.0/16",
    "10.0.0.256/24",
    "010.0.0.0/8",
    "10.0.0.0 /16",
    "10.0.0.0/1e1",
    "fd00::/129",
    "fe80::1%eth0/64",
  ])("refuses %j", (text) => {
    expect(parseCidr(text)?.canonical ?? false).toBe(false);
    expect(() => cidr(text)).toThrow(RangeError);
  });

  it("reads and prints addresses", () => {
    expect(formatIp(parseIp("10.1.2.3") ?? fail())).toBe("10.1.2.3");
    expect(formatIp(parseIp("FD00::0:1") ?? fail())).toBe("fd00::1");
    expect(parseIp("10.1.2.3/32")).toBeUndefined();
    expect(parseIp("10.1.2")).toBeUndefined();
  });
});

function fail(): never {
  throw new Error("the address was not understood");
}
