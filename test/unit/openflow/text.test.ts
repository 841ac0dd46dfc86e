import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Flow } from "../../../src/openflow/flow.js";
import {
  flowKey,
  formatDelete,
  formatFlow,
  formatFlowMod,
  parseFlow,
  sameValue,
} from "../../../src/openflow/text.js";
import { anyFlow } from "./arbitrary.js";

const PEERING_FLOW: Flow = {
  table: 5,
  priority: 100,
  cookie: 0xabcdef14_00000065n,
  match: { nw_dst: "10.20.0.0/16", nw_src: "10.10.0.0/16", reg1: "0x65", ip: true },
  actions: "dec_ttl,output:1",
};

const HEAD = "cookie=0xabcdef1400000065, table=5,";
const MATCH = "ip,reg1=0x65,nw_src=10.10.0.0/16,nw_dst=10.20.0.0/16";

describe("formatFlow", () => {
  it("writes fields in the order of the switch", () => {
    expect(formatFlow(PEERING_FLOW)).toBe(`${HEAD} priority=100,${MATCH} actions=dec_ttl,output:1`);
  });

  it("writes table, priority and cookie also where the switch leaves them out", () => {
    const miss: Flow = { table: 0, priority: 32768, cookie: 0n, match: {}, actions: "drop" };
    expect(formatFlow(miss)).toBe("cookie=0x0, table=0, priority=32768 actions=drop");
  });

  it("puts conntrack fields before the protocol word, as the switch does", () => {
    const match = { ip: true, ct_state: "+new-rel+trk", ct_zone: "101" } as const;
    const text = formatFlow({ ...PEERING_FLOW, match });
    expect(text).toContain("priority=100,ct_state=+new-rel+trk,ct_zone=101,ip actions=");
  });

  it("shows timeouts and flags", () => {
    const flow = { ...PEERING_FLOW, extras: ["idle_timeout=60", "send_flow_rem"] };
    expect(formatFlow(flow)).toContain(`${HEAD} idle_timeout=60, send_flow_rem, priority=100`);
  });
});

describe("flow modifications", () => {
  it("adds with cookie and actions", () => {
    expect(formatFlowMod(PEERING_FLOW)).toBe(
      `add table=5,priority=100,${MATCH},cookie=0xabcdef1400000065,actions=dec_ttl,output:1`,
    );
  });

  it("deletes strictly, and only what carries the same cookie", () => {
    expect(formatDelete(PEERING_FLOW)).toBe(
      `delete_strict table=5,priority=100,${MATCH},cookie=0xabcdef1400000065/-1`,
    );
  });

  it("handles an empty match", () => {
    const miss: Flow = { table: 3, priority: 0, cookie: 5n, match: {}, actions: "drop" };
    expect(formatFlowMod(miss)).toBe("add table=3,priority=0,cookie=0x5,actions=drop");
    expect(formatDelete(miss)).toBe("delete_strict table=3,priority=0,cookie=0x5/-1");
  });
});

describe("parseFlow", () => {
  it("reads what formatFlow writes", () => {
    fc.assert(
      fc.property(anyFlow(), (flow) => {
        const read = parseFlow(formatFlow(flow));
        expect(read).toEqual(flow);
        expect(read && flowKey(read)).toBe(flowKey(flow));
        expect(read && sameValue(read, flow)).toBe(true);
      }),
    );
  });

  it("supplies what the switch leaves out", () => {
    expect(parseFlow(" actions=drop")).toEqual({
      table: 0,
      priority: 32768,
      cookie: 0n,
      match: {},
      actions: "drop",
    });
  });

  it("ignores statistics", () => {
    const line =
      " cookie=0xabcdef1400000065, duration=0.006s, table=5, n_packets=7, n_bytes=8, idle_age=2," +
      ` hard_age=9, priority=100,${MATCH} actions=dec_ttl,output:1`;
    expect(parseFlow(line)).toEqual(PEERING_FLOW);
  });

  it.each([
    "idle_timeout=60,",
    "hard_timeout=500,",
    "importance=3,",
    "send_flow_rem",
    "check_overlap",
    "reset_counts",
    "no_packet_counts",
    "no_byte_counts",
  ])("never takes a flow with %s for one of ours", (extra) => {
    const read = parseFlow(` ${HEAD} ${extra} priority=100,${MATCH} actions=dec_ttl,output:1`);
    expect(read && flowKey(read)).toBe(flowKey(PEERING_FLOW));
    expect(read && sameValue(read, PEERING_FLOW)).toBe(false);
  });

  it.each(["not_known_yet=7,", "not_known_yet"])("keeps an unknown %s apart from ours", (extra) => {
    const read = parseFlow(` ${HEAD} ${extra} priority=100,${MATCH} actions=dec_ttl,output:1`);
    expect(read && flowKey(read)).not.toBe(flowKey(PEERING_FLOW));
  });

  it("keeps commas inside parentheses", () => {
    expect(parseFlow(" priority=7,packet_type=(1,0x800) actions=drop")?.match).toEqual({
      packet_type: "(1,0x800)",
    });
  });

  it.each(["", "OFPST_FLOW reply (OF1.4) (xid=0x2):", "NXST_FLOW reply (xid=0x4):"])(
    "finds no flow in %j",
    (line) => {
      expect(parseFlow(line)).toBeUndefined();
    },
  );

  it.each([
    " cookie=5, priority=1 actions=drop",
    " cookie=0x, priority=1 actions=drop",
    " table=classify, priority=1 actions=drop",
    " priority actions=drop",
  ])("refuses %j instead of overlooking it", (line) => {
    expect(() => parseFlow(line)).toThrow(SyntaxError);
  });
});

describe("flowKey", () => {
  it("does not depend on the order of fields, nor on the value", () => {
    const match = Object.fromEntries(Object.entries(PEERING_FLOW.match).reverse());
    expect(flowKey({ ...PEERING_FLOW, match, cookie: 1n, actions: "drop" })).toBe(
      flowKey(PEERING_FLOW),
    );
  });

  it("depends on table, priority and every field", () => {
    const others: Flow[] = [
      { ...PEERING_FLOW, table: 6 },
      { ...PEERING_FLOW, priority: 99 },
      { ...PEERING_FLOW, match: { ...PEERING_FLOW.match, reg1: "0x66" } },
      { ...PEERING_FLOW, match: { ip: true } },
    ];
    expect(new Set([PEERING_FLOW, ...others].map(flowKey)).size).toBe(5);
  });
});
