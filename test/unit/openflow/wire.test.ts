import { describe, expect, it } from "vitest";
import {
  decodeFlowUpdates,
  encodeFlowMonitorRequest,
  isFlowMonitorReply,
} from "../../../src/openflow/wire/flow-updates.js";
import {
  encodeMessage,
  MESSAGE_TYPES,
  MessageScanner,
} from "../../../src/openflow/wire/message.js";
import { ADDED, MODIFIED, PAUSED, REMOVED, RESUMED, replyOf } from "./recorded.js";

describe("messages", () => {
  const hello = encodeMessage(MESSAGE_TYPES.hello, 1);
  const echo = encodeMessage(MESSAGE_TYPES.echoRequest, 0xfffffffe, Buffer.from("still there?"));

  it("are written as version 1.4", () => {
    expect(hello.toString("hex")).toBe("0500000800000001");
    expect(echo.subarray(0, 8).toString("hex")).toBe("05020014fffffffe");
  });

  it("are read back, however the stream is cut", () => {
    const stream = Buffer.concat([hello, echo, hello]);
    for (let size = 1; size <= stream.length; size += 1) {
      const scanner = new MessageScanner();
      const read = [];
      for (let at = 0; at < stream.length; at += size) {
        read.push(...scanner.push(stream.subarray(at, at + size)));
      }
      expect(read.map(({ type, xid, body }) => [type, xid, body.toString()])).toEqual([
        [0, 1, ""],
        [2, 0xfffffffe, "still there?"],
        [0, 1, ""],
      ]);
    }
  });

  it("that are shorter than their header end the matter", () => {
    const scanner = new MessageScanner();
    expect(() => scanner.push(Buffer.from("0500000700000001", "hex"))).toThrow(RangeError);
  });
});

describe("flow monitors", () => {
  it("are asked for all tables, all ports and every kind of change, but not for what is there", () => {
    expect(encodeFlowMonitorRequest(2).toString("hex")).toBe(
      [
        "0512002800000002",
        "0010000000000000",
        "00000001ffffffffffffffff000eff00",
        "0001000400000000",
      ].join(""),
    );
  });

  it("tell what Open vSwitch 3.1 was recorded telling", () => {
    const body = replyOf(ADDED, REMOVED, MODIFIED);
    expect(isFlowMonitorReply(body)).toBe(true);
    expect(decodeFlowUpdates(body)).toEqual([
      { kind: "added", table: 3, priority: 100, cookie: 0xabc0000000000001n },
      { kind: "removed", table: 1, priority: 5, cookie: 0x10n },
      { kind: "modified", table: 3, priority: 100, cookie: 0x77n },
    ]);
    expect(decodeFlowUpdates(replyOf())).toEqual([]);
  });

  it("are unclear when they pause, go on, or tell something unknown", () => {
    const unclear = { kind: "unclear" };
    const abbreviated = "0008000400000001";
    const kinds = decodeFlowUpdates(replyOf(PAUSED, RESUMED, abbreviated));
    expect(kinds).toEqual([unclear, unclear, unclear]);
  });

  it("that are cut short are refused", () => {
    for (const wrong of ["0030000103", "0000000100000000", "00300001"]) {
      expect(() => decodeFlowUpdates(replyOf(wrong))).toThrow(RangeError);
    }
    const short = replyOf("0008000100000000");
    expect(() => decodeFlowUpdates(short)).toThrow(RangeError);
  });

  it("are told apart from other multipart replies", () => {
    expect(isFlowMonitorReply(Buffer.from("0001000000000000", "hex"))).toBe(false);
    expect(isFlowMonitorReply(Buffer.alloc(2))).toBe(false);
  });
});
