import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  COOKIE_CATEGORIES,
  COOKIE_FIELDS,
  type CookieCategory,
  decodeCookie,
  encodeCookie,
  ownsCookie,
} from "../../../src/openflow/cookie.js";

const anyCookie = () =>
  fc.record({
    mark: fc.integer({ min: 1, max: 2 ** 24 - 1 }),
    layout: fc.integer({ min: 0, max: 15 }),
    category: fc.constantFrom(...(Object.keys(COOKIE_CATEGORIES) as CookieCategory[])),
    object: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  });

describe("cookies", () => {
  it("place mark, layout, category and object from the top", () => {
    expect(encodeCookie({ mark: 0xabcdef, layout: 1, category: "peering", object: 0x65 })).toBe(
      0xabcdef14_00000065n,
    );
  });

  it("fill 64 bits", () => {
    expect(Object.values(COOKIE_FIELDS).reduce((sum, bits) => sum + bits, 0)).toBe(64);
    const most = {
      mark: 2 ** 24 - 1,
      layout: 15,
      category: "exchange",
      object: 2 ** 32 - 1,
    } as const;
    expect(encodeCookie(most)).toBeLessThan(2n ** 64n);
  });

  it("decode to what was encoded, and are owned by their mark alone", () => {
    fc.assert(
      fc.property(anyCookie(), fc.integer({ min: 1, max: 2 ** 24 - 1 }), (cookie, mark) => {
        const encoded = encodeCookie(cookie);
        expect(decodeCookie(encoded)).toEqual(cookie);
        expect(ownsCookie(mark)(encoded)).toBe(mark === cookie.mark);
      }),
    );
  });

  it("of another layout are still owned", () => {
    const older = (0xabcdefn << 40n) | 7n;
    expect(ownsCookie(0xabcdef)(older)).toBe(true);
    expect(decodeCookie(older)).toMatchObject({ layout: 0, category: undefined, object: 7 });
  });

  it.each([
    { mark: 2 ** 24, layout: 1, category: "vpc", object: 1 },
    { mark: 1, layout: 16, category: "vpc", object: 1 },
    { mark: 1, layout: 1, category: "vpc", object: 2 ** 32 },
    { mark: 1, layout: 1, category: "vpc", object: -1 },
    { mark: 1, layout: 1, category: "vpc", object: 0.5 },
  ] as const)("refuse $mark / $layout / $object", (cookie) => {
    expect(() => encodeCookie(cookie)).toThrow(RangeError);
  });
});
