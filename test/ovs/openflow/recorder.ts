import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeCommit } from "../../../src/openflow/wire/bundle.js";
import {
  encodeMessage,
  MESSAGE_TYPES,
  type Message,
  MessageScanner,
} from "../../../src/openflow/wire/message.js";

/** A management socket without a switch, which agrees to everything and writes it down. */
export interface Recorder {
  readonly path: string;
  /** The flow-mods of all bundles so far in hexadecimal, without their numbers. */
  flowMods(): string[];
  close(): Promise<void>;
}

const XID_AT = 4;

export async function record(): Promise<Recorder> {
  const dir = await mkdtemp(join(tmpdir(), "pbr-"));
  const path = join(dir, "s.mgmt");
  const received: Message[] = [];
  const server = createServer((socket) => {
    const scanner = new MessageScanner();
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      for (const message of scanner.push(chunk)) {
        received.push(message);
        agree(message, socket);
      }
    });
  });
  server.listen(path);
  await once(server, "listening");
  return {
    path,
    flowMods: () => received.flatMap(flowModOf),
    close: async () => {
      server.close();
      await rm(dir, { recursive: true });
    },
  };
}

function agree({ type, xid, body }: Message, socket: Socket): void {
  if (type === MESSAGE_TYPES.hello) socket.write(encodeMessage(MESSAGE_TYPES.hello, xid));
  if (type === MESSAGE_TYPES.barrierRequest) {
    socket.write(encodeMessage(MESSAGE_TYPES.barrierReply, xid));
  }
  if (type === MESSAGE_TYPES.bundleControl) {
    const reply = Buffer.from(body);
    // The reply to a request is the next number.
    reply.writeUInt16BE(body.readUInt16BE(XID_AT) + 1, XID_AT);
    socket.write(encodeMessage(MESSAGE_TYPES.bundleControl, xid, reply));
  }
}

function flowModOf({ type, body }: Message): string[] {
  if (type !== MESSAGE_TYPES.bundleAdd) return [];
  const inner = Buffer.from(body.subarray(encodeCommit().length - 8));
  inner.writeUInt32BE(0, XID_AT);
  return [inner.toString("hex")];
}
