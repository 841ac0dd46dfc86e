import { encodeMessage, MESSAGE_TYPES } from "./message.js";

/** Multipart messages that describe ports (OpenFlow 1.4, section 7.3.5.7). */
const PORT_DESC = 13;
const MULTIPART_HEADER_BYTES = 8;
/** Before the description in a message about one port (section 7.4.3). */
const STATUS_HEADER_BYTES = 8;
/** Of a description without properties (section 7.2.1). */
const SHORTEST_BYTES = 40;
const REMOVED = 1;

/** Properties of OFPT_SET_ASYNC (section 7.3.10): which reasons are told of ports. */
const PORT_STATUS_SLAVE = 2;
const PORT_STATUS_MASTER = 3;
const EVERY_REASON = 0b111;

const NO_RECV = 1 << 2;
const NO_FWD = 1 << 5;

/** How a port is set by OpenFlow, which the database does not show. */
export interface PortSettings {
  /** OFPPC_NO_RECV: whatever comes in by it is dropped. */
  readonly noReceive: boolean;
  /** OFPPC_NO_FWD: nothing is sent out of it. */
  readonly noForward: boolean;
}

export interface PortDescription extends PortSettings {
  readonly port: number;
}

/** One port was added or changed, or is gone. */
export type PortUpdate =
  | { readonly kind: "set"; readonly description: PortDescription }
  | { readonly kind: "removed"; readonly port: number };

/** Asks to be told of every change to a port from now on; by itself a management socket tells none. */
export function encodePortStatusWish(xid: number): Buffer {
  const body = Buffer.alloc(16);
  for (const [index, [type, reasons]] of [
    [PORT_STATUS_SLAVE, 0],
    [PORT_STATUS_MASTER, EVERY_REASON],
  ].entries()) {
    body.writeUInt16BE(type ?? 0, index * 8);
    body.writeUInt16BE(8, index * 8 + 2);
    body.writeUInt32BE(reasons ?? 0, index * 8 + 4);
  }
  return encodeMessage(MESSAGE_TYPES.setAsync, xid, body);
}

/** Asks for the descriptions of all ports. */
export function encodePortDescRequest(xid: number): Buffer {
  const body = Buffer.alloc(MULTIPART_HEADER_BYTES);
  body.writeUInt16BE(PORT_DESC, 0);
  return encodeMessage(MESSAGE_TYPES.multipartRequest, xid, body);
}

/** Whether the body of a multipart reply describes ports. */
export function isPortDescReply(body: Buffer): boolean {
  return body.length >= MULTIPART_HEADER_BYTES && body.readUInt16BE(0) === PORT_DESC;
}

/**
 * Reads the body of a reply; a bridge with many ports sends several.
 * @throws RangeError when it is cut short
 */
export function decodePortDescs(body: Buffer): PortDescription[] {
  const descriptions: PortDescription[] = [];
  let at = MULTIPART_HEADER_BYTES;
  while (at < body.length) {
    const length = body.readUInt16BE(at + 4);
    if (length < SHORTEST_BYTES || at + length > body.length) {
      throw new RangeError(`a port of ${length} bytes in a message of ${body.length}`);
    }
    descriptions.push(decodePort(body.subarray(at, at + length)));
    at += length;
  }
  return descriptions;
}

/** @throws RangeError when it is cut short */
export function decodePortStatus(body: Buffer): PortUpdate {
  const description = decodePort(body.subarray(STATUS_HEADER_BYTES));
  if (body.readUInt8(0) === REMOVED) return { kind: "removed", port: description.port };
  return { kind: "set", description };
}

function decodePort(bytes: Buffer): PortDescription {
  const config = bytes.readUInt32BE(32);
  return {
    port: bytes.readUInt32BE(0),
    noReceive: (config & NO_RECV) !== 0,
    noForward: (config & NO_FWD) !== 0,
  };
}
