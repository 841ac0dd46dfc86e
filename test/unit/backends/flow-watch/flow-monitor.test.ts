import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  FlowMonitor,
  MonitorRefused,
} from "../../../../src/backends/ovs/flow-watch/flow-monitor.js";
import type { FlowUpdate } from "../../../../src/openflow/wire/flow-updates.js";
import {
  encodeMessage,
  MESSAGE_TYPES,
  type Message,
  MessageScanner,
} from "../../../../src/openflow/wire/message.js";
import { ADDED, PAUSED, replyOf } from "../../openflow/recorded.js";

let dir: string;
let server: Server;
let sockets: Socket[];
let received: Message[];
let answer: (message: Message, socket: Socket) => void;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "pbu-"));
  sockets = [];
  received = [];
  server = createServer((socket) => {
    sockets.push(socket);
    const scanner = new MessageScanner();
    socket.on("data", (chunk: Buffer) => {
      for (const message of scanner.push(chunk)) {
        received.push(message);
        answer(message, socket);
      }
    });
    socket.on("error", () => socket.destroy());
  });
  server.listen(join(dir, "s"));
  await once(server, "listening");
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await rm(dir, { recursive: true });
});

/** As Open vSwitch does: it offers version 1.5, and confirms a monitor with an empty reply. */
function likeTheSwitch({ type, xid }: Message, socket: Socket): void {
  if (type === MESSAGE_TYPES.hello) socket.write(Buffer.from("0600000800000001", "hex"));
  if (type === MESSAGE_TYPES.multipartRequest) send(socket, xid);
  if (type === MESSAGE_TYPES.barrierRequest) {
    socket.write(encodeMessage(MESSAGE_TYPES.barrierReply, xid));
  }
}

function send(socket: Socket | undefined, xid: number, ...updates: string[]): void {
  socket?.write(encodeMessage(MESSAGE_TYPES.multipartReply, xid, replyOf(...updates)));
}

async function open(): Promise<{ monitor: FlowMonitor; told: FlowUpdate[][]; lost: Error[] }> {
  const told: FlowUpdate[][] = [];
  const lost: Error[] = [];
  const monitor = await FlowMonitor.open(join(dir, "s"), {
    updates: (updates) => told.push([...updates]),
    ports: () => undefined,
    lost: (error) => lost.push(error),
  });
  return { monitor, told, lost };
}

it("is open once the switch has agreed, and hands on what it tells", async () => {
  answer = likeTheSwitch;
  const { monitor, told, lost } = await open();
  expect(told).toEqual([]);
  send(sockets[0], 0, ADDED, PAUSED);
  await vi.waitFor(() => expect(told).toHaveLength(1));
  expect(told[0]).toMatchObject([{ kind: "added", table: 3 }, { kind: "unclear" }]);
  monitor.close();
  expect(lost).toEqual([]);
});

it("passes a barrier after what was told before and before what is told after", async () => {
  answer = likeTheSwitch;
  const { monitor, told } = await open();
  const seen: number[] = [];
  answer = ({ xid }, socket) => {
    const reply = encodeMessage(MESSAGE_TYPES.barrierReply, xid);
    const update = encodeMessage(MESSAGE_TYPES.multipartReply, 0, replyOf(ADDED));
    socket.write(Buffer.concat([update, reply, update]));
  };
  monitor.barrier(() => seen.push(told.length));
  await vi.waitFor(() => expect(told).toHaveLength(2));
  expect(seen).toEqual([1]);
  monitor.close();
});

it("answers the switch that asks whether it is still there", async () => {
  answer = likeTheSwitch;
  const { monitor } = await open();
  sockets[0]?.write(encodeMessage(MESSAGE_TYPES.echoRequest, 77, Buffer.from("?")));
  await vi.waitFor(() => expect(received.at(-1)?.type).toBe(MESSAGE_TYPES.echoReply));
  expect(received.at(-1)).toMatchObject({ xid: 77, body: Buffer.from("?") });
  monitor.close();
});

it("says so when the switch refuses", async () => {
  // As recorded for a monitor with flags that Open vSwitch 3.1 does not take.
  const refusal = Buffer.from("0101001800000000b0c20000000023200001020600010004", "hex");
  answer = ({ type }, socket) => {
    if (type === MESSAGE_TYPES.multipartRequest) socket.write(refusal);
  };
  await expect(open()).rejects.toThrow(MonitorRefused);
});

it("tells once that it is lost: when the switch goes, or makes no sense", async () => {
  answer = likeTheSwitch;
  const [gone, senseless] = [await open(), await open()];
  gone.monitor.barrier(() => expect.unreachable());
  sockets[0]?.destroy();
  sockets[1]?.write(Buffer.from("0000000000000000", "hex"));
  await vi.waitFor(() => expect([gone.lost.length, senseless.lost.length]).toEqual([1, 1]));
  expect(senseless.lost[0]).toBeInstanceOf(RangeError);
});

it("fails to open when the switch hangs up first, or is not there", async () => {
  answer = (_, socket) => socket.destroy();
  await expect(open()).rejects.toThrow();
  const handlers = { updates: () => undefined, ports: () => undefined, lost: () => undefined };
  await expect(FlowMonitor.open(join(dir, "nobody"), handlers)).rejects.toThrow(/ENOENT/);
});
