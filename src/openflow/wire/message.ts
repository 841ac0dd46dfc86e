import { ByteWriter } from "./byte-writer.js";

/** The version field of OpenFlow 1.4. */
const VERSION = 5;
const HEADER_BYTES = 8;

/** Types of message (OpenFlow 1.4, section 7.1), as far as flows and ports need them. */
export const MESSAGE_TYPES = {
  hello: 0,
  error: 1,
  echoRequest: 2,
  echoReply: 3,
  portStatus: 12,
  flowMod: 14,
  multipartRequest: 18,
  multipartReply: 19,
  barrierRequest: 20,
  barrierReply: 21,
  setAsync: 28,
  bundleControl: 33,
  bundleAdd: 34,
} as const;

export interface Message {
  readonly type: number;
  /** Pairs a reply with its request. */
  readonly xid: number;
  readonly body: Buffer;
}

/** Writes a message whose body `writeBody` writes; its length is found out. */
export function writeMessage(
  writer: ByteWriter,
  type: number,
  xid: number,
  writeBody: () => void = () => undefined,
): void {
  const start = writer.length;
  writer.uint8(VERSION);
  writer.uint8(type);
  writer.uint16(0);
  writer.uint32(xid);
  writeBody();
  writer.fillInLength(start + 2, start);
}

export function encodeMessage(type: number, xid: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const writer = new ByteWriter();
  writeMessage(writer, type, xid, () => writer.bytes(body));
  return writer.take();
}

/** Cuts a stream into messages. */
export class MessageScanner {
  #rest: Buffer = Buffer.alloc(0);

  /** @throws RangeError when a message is shorter than its header: the stream makes no sense */
  push(chunk: Buffer): Message[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: Message[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUInt16BE(at + 2);
      if (length < HEADER_BYTES) throw new RangeError(`an OpenFlow message of ${length} bytes`);
      if (bytes.length - at < length) break;
      messages.push({
        type: bytes.readUInt8(at + 1),
        xid: bytes.readUInt32BE(at + 4),
        body: bytes.subarray(at + HEADER_BYTES, at + length),
      });
      at += length;
    }
    this.#rest = bytes.subarray(at);
    return messages;
  }
}
