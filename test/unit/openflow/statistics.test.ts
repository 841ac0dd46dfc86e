import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countsNothing, parseCountedFlow } from "../../../src/openflow/statistics.js";
import { formatFlow } from "../../../src/openflow/text.js";
import { anyFlow } from "./arbitrary.js";

/** As Open vSwitch 3.1 prints it. */
const LINE =
  " cookie=0x5, duration=2.084s, table=18, n_packets=17, n_bytes=26000, priority=100,reg0=0x65,reg9=0x1 actions=drop";

describe("parseCountedFlow", () => {
  it("reads the flow and what it has matched", () => {
    expect(parseCountedFlow(LINE)).toEqual({
      flow: {
        table: 18,
        priority: 100,
        cookie: 5n,
        match: { reg0: "0x65", reg9: "0x1" },
        actions: "drop",
      },
      packets: 17,
      bytes: 26000,
      seconds: 2.084,
    });
  });

  it("reads any flow with any counts", () => {
    const counts = fc.record({
      packets: fc.maxSafeNat(),
      bytes: fc.maxSafeNat(),
      milliseconds: fc.nat(2 ** 40),
    });
    fc.assert(
      fc.property(anyFlow(), counts, (flow, { packets, bytes, milliseconds }) => {
        const seconds = milliseconds / 1000;
        const statistics = `duration=${seconds.toFixed(3)}s, n_packets=${packets}, n_bytes=${bytes},`;
        const line = ` ${formatFlow(flow).replace(" ", ` ${statistics} `)}`;
        expect(parseCountedFlow(line)).toEqual({ flow, packets, bytes, seconds });
        expect(countsNothing(line)).toBe(packets === 0);
      }),
    );
  });

  it("yields nothing for a line that holds no flow", () => {
    expect(parseCountedFlow("OFPST_FLOW reply (OF1.4) (xid=0x2):")).toBeUndefined();
    expect(parseCountedFlow("")).toBeUndefined();
  });

  it.each(["n_packets=17, ", "n_bytes=26000, ", "duration=2.084s, "])(
    "does not take a flow without %s for one that matched nothing",
    (missing) => {
      expect(() => parseCountedFlow(LINE.replace(missing, ""))).toThrow(SyntaxError);
    },
  );
});

describe("countsNothing", () => {
  it("is not misled by other numbers", () => {
    expect(countsNothing(LINE)).toBe(false);
    expect(countsNothing(LINE.replace("n_bytes=26000", "n_bytes=0"))).toBe(false);
    expect(countsNothing(LINE.replace("=17,", "=0,"))).toBe(true);
    expect(countsNothing("OFPST_FLOW reply (OF1.4) (xid=0x2):")).toBe(false);
  });
});
