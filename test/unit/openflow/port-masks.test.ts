import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PortMask, portMasks, portMatch } from "../../../src/openflow/port-masks.js";

const HIGHEST = 65_535;

function anyRange(highest = HIGHEST): fc.Arbitrary<readonly [number, number]> {
  const port = fc.oneof(
    fc.nat({ max: highest }),
    fc.constantFrom(0, 1, highest >> 1, (highest >> 1) + 1, highest - 1, highest),
  );
  return fc.tuple(port, port).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
}

const isMatched = (port: number, { value, mask }: PortMask) => (port & mask) === value;

/** The fewest aligned blocks that a range can be parted into, by trying every way to part it. */
function fewest(from: number, to: number, size: number, base: number): number {
  if (from > base + size - 1 || to < base) return 0;
  if (from <= base && base + size - 1 <= to) return 1;
  const half = size / 2;
  return fewest(from, to, half, base) + fewest(from, to, half, base + half);
}

describe("masks of a range of ports", () => {
  it("match each port of it once, and no other", () => {
    fc.assert(
      fc.property(anyRange(), ([from, to]) => {
        const masks = portMasks(from, to);
        const times = new Uint8Array(HIGHEST + 1);
        for (const { value, mask } of masks) {
          expect(value & mask).toBe(value);
          for (let port = value; port <= (value | (~mask & HIGHEST)); port += 1) {
            if (isMatched(port, { value, mask })) times[port] = (times[port] ?? 0) + 1;
          }
        }
        const wrong = times.findIndex((n, port) => n !== (from <= port && port <= to ? 1 : 0));
        expect(wrong).toBe(-1);
      }),
    );
  });

  it("are as few as can be, and 30 at worst", () => {
    fc.assert(
      fc.property(anyRange(), ([from, to]) => {
        expect(portMasks(from, to)).toHaveLength(fewest(from, to, HIGHEST + 1, 0));
      }),
    );
    expect(portMasks(1, 65_534)).toHaveLength(30);
  });

  it.each([
    [443, 443, ["443"]],
    [0, 0, ["0"]],
    [0, 1, ["0x0/0xfffe"]],
    [65_535, 65_535, ["65535"]],
    [0, 65_535, [undefined]],
    [32_768, 65_535, ["0x8000/0x8000"]],
    [1021, 1025, ["1021", "0x3fe/0xfffe", "0x400/0xfffe"]],
  ])("of %i to %i read as the switch prints them", (from, to, expected) => {
    const spelled = portMasks(from, to).map((mask) => portMatch("ct_tp_dst", mask)["ct_tp_dst"]);
    expect(spelled).toEqual(expected);
  });
});
