import { expect, it } from "vitest";
import { PortTable, stops } from "../../../src/backends/ovs/ports/port-table.js";
import { MESSAGE_TYPES, MessageScanner } from "../../../src/openflow/wire/message.js";
import {
  decodePortDescs,
  decodePortStatus,
  encodePortDescRequest,
  encodePortStatusWish,
  isPortDescReply,
  type PortUpdate,
} from "../../../src/openflow/wire/port-status.js";

/** One port, as recorded from Open vSwitch 3.1.0: number 29, no-forward. */
const NO_FORWARD =
  "0000001d004800009ab4e421292a000070743100000000000000000000000000000000200000000400000020000000000000084";
/** The same one, set down and not to receive. */
const DOWN_NO_RECEIVE = NO_FORWARD.replace("0000002000000004", "0000000500000001");

const bytes = (hex: string) => Buffer.from(hex.padEnd(144, "0"), "hex");
const status = (reason: number, port: string) => {
  return Buffer.concat([Buffer.from([reason, 0, 0, 0, 0, 0, 0, 0]), bytes(port)]);
};

it("reads what the switch tells of one port", () => {
  const changed = decodePortStatus(status(2, NO_FORWARD));
  const description = { port: 29, noReceive: false, noForward: true };
  expect(changed).toEqual({ kind: "set", description });
  expect(decodePortStatus(status(0, DOWN_NO_RECEIVE))).toMatchObject({
    description: { noReceive: true, noForward: false },
  });
  expect(decodePortStatus(status(1, NO_FORWARD))).toEqual({ kind: "removed", port: 29 });
});

it("reads the descriptions of all ports, and no description that is cut short", () => {
  const head = Buffer.from("000d000000000000", "hex");
  const reply = Buffer.concat([head, bytes(NO_FORWARD), bytes(DOWN_NO_RECEIVE)]);
  expect(isPortDescReply(reply)).toBe(true);
  expect(decodePortDescs(reply)).toMatchObject([{ noForward: true }, { noReceive: true }]);
  expect(() => decodePortDescs(reply.subarray(0, -1))).toThrow(RangeError);
  expect(isPortDescReply(Buffer.from("0010000000000000", "hex"))).toBe(false);
});

it("asks for both: what there is, and what changes", () => {
  const sent = Buffer.concat([encodePortStatusWish(3), encodePortDescRequest(3)]);
  const [wish, request] = new MessageScanner().push(sent);
  expect(wish).toMatchObject({ type: MESSAGE_TYPES.setAsync, xid: 3 });
  expect(wish?.body.toString("hex")).toBe("00020008000000000003000800000007");
  expect(request).toMatchObject({ type: MESSAGE_TYPES.multipartRequest, xid: 3 });
});

it("is kept in a table, which says when packets are stopped or let pass", () => {
  const table = new PortTable();
  const set = (port: number, noReceive: boolean): PortUpdate => {
    return { kind: "set", description: { port, noReceive, noForward: false } };
  };
  expect(table.apply([set(1, false), set(2, false)])).toBe(false);
  expect(table.apply([set(1, true), set(2, false)])).toBe(true);
  expect(table.apply([set(1, true)])).toBe(false);
  expect([stops(table.of(1)), stops(table.of(2)), stops(table.of(3))]).toEqual([
    true,
    false,
    false,
  ]);
  expect(table.apply([{ kind: "removed", port: 1 }])).toBe(true);
  expect(table.of(1)).toBeUndefined();
});
