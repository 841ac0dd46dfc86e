import { describe, expect, it } from "vitest";
import { aimsOf } from "../../../scripts/bench-kernel/aims.mjs";
import { costOf, parseCounters } from "../../../scripts/bench-kernel/datapath.mjs";
import { PARTS, readOptions } from "../../../scripts/bench-kernel/options.mjs";
import { arrivedOf, longestGap } from "../../../scripts/bench-kernel/stream.mjs";

const read = (...args: string[]) => readOptions(args);

describe("the options of the kernel benchmark", () => {
  it("measures everything, with offload and without", () => {
    const expected = { sizes: [2, 10, 100, 300], parts: PARTS, offloads: ["on", "off"] };
    expect(read()).toMatchObject({ ...expected, datapath: "system", here: false });
  });

  it("leaves offload off on the userspace datapath", () => {
    expect(read("--here", "--datapath", "netdev").offloads).toEqual(["off"]);
  });

  it.each([
    ["--sizes", "1,2"],
    ["--rounds", "0"],
    ["--only", "writes"],
    ["--datapath", "netdev"],
    ["--here", "--datapath", "dpdk"],
  ])("refuses %s %s", (...args) => {
    expect(() => read(...args)).toThrow(args.at(-2) === "--here" ? "--datapath" : args.at(-2));
  });
});

describe("the counters of a datapath", () => {
  const kernel = (hit: number, masks: number) => `system@ovs-system:
  lookups: hit:${hit} missed:20 lost:0
  flows: 7
  masks: hit:${masks} total:4 hit/pkt:1.50
  cache: hit:900 hit-rate:90.00%
  port 0: ovs-system (internal)`;

  it("are those of the kernel", () => {
    const expected = { lookups: 1020, masks: 1500, flows: 7, allMasks: 4 };
    expect(parseCounters(kernel(1000, 1500))).toEqual(expected);
  });

  it("say what a packet costs", () => {
    const [before, after] = [kernel(1000, 1500), kernel(1300, 2100)].map(parseCounters);
    const expected = { lookupsAPacket: 3, masksALookup: 2, flows: 7, allMasks: 4 };
    expect(costOf(before, after, 100)).toEqual(expected);
  });

  it("are there without masks in userspace", () => {
    const text = "netdev@ovs-netdev:\n  lookups: hit:10 missed:2 lost:0\n  flows: 3\n";
    expect(parseCounters(text)).toEqual({ lookups: 12, masks: 0, flows: 3, allMasks: 0 });
  });
});

describe("the log of a stream", () => {
  const log = {
    sent: [0, 10, 20, 30, 40, 50],
    arrived: [0, 1, 4, 5].map((number) => ({ number, at: 10 * number + 1 })),
    strays: [],
  };

  it("has a longest gap", () => {
    expect(longestGap(log, 5, 100)).toEqual({ ms: 49, begun: 51 });
    expect(longestGap(log, 5, 52)).toEqual({ ms: 30, begun: 11 });
  });

  it("has no gap that is longer than what is looked at", () => {
    expect(longestGap(log, 15, 35)).toEqual({ ms: 20, begun: 15 });
  });

  it("tells what was sent after a moment and arrived", () => {
    expect(arrivedOf(log, 35)).toBe(2);
    expect(arrivedOf(log, 50)).toBe(0);
  });
});

describe("the aims of the kernel benchmark", () => {
  const found = (vpcs: number, path: string, rate: number) => {
    return { vpcs, path, offload: "on", tcp: [rate, rate, rate / 2], packets: [rate, rate, rate] };
  };
  const throughput = [
    found(2, "plain", 100),
    found(2, "peering", 90),
    found(300, "plain", 100),
    found(300, "peering", 87),
  ];

  it("compare the most VPCs with the fewest and with plain switching", () => {
    const verdicts = aimsOf({ throughput }).map(({ found: ratio, met }) => [ratio, met]);
    const expected = [
      ["0.967", true],
      ["0.870", false],
    ];
    expect(verdicts).toEqual([...expected, ...expected]);
  });

  it("allow no packet after a peering was said to be deleted", () => {
    const cut = (passedAfterDeleted: number) => ({ passedAfterDeleted });
    const met = (...cuts: object[]) => aimsOf({ waiting: { cut: cuts } }).map((aim) => aim.met);
    expect(met(cut(0), cut(0))).toEqual([true]);
    expect(met(cut(0), cut(1))).toEqual([false]);
  });
});
