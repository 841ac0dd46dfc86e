import { encodeMessage, MESSAGE_TYPES } from "./message.js";

/** Multipart messages of flow monitors (OpenFlow 1.4, section 7.3.5.14). */
const FLOW_MONITOR = 16;
const MULTIPART_HEADER_BYTES = 8;
const ANY = 0xffffffff;
const ALL_TABLES = 0xff;
/**
 * Additions, removals, modifications; neither the flows that are there already nor any actions.
 * Open vSwitch 3.1 refuses a monitor with OFPFMF_NO_ABBREV; what is abbreviated is only what the
 * same connection has changed.
 */
const FLAGS = (1 << 1) | (1 << 2) | (1 << 3);
/** A match of no field, padded (section 7.2.3.1). */
const EVERYTHING = [0, 1, 0, 4, 0, 0, 0, 0];

const MONITOR_ID = 1;

const CHANGES = new Map([
  [1, "added"],
  [2, "removed"],
  [3, "modified"],
] as const);

/** One flow was changed. An addition in the place of a flow with its identity is only an addition. */
export interface FlowChange {
  readonly kind: "added" | "removed" | "modified";
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
}

/**
 * What a flow monitor tells. `unclear`: changes were too many to be told one by one, or were told
 * in a way that we do not know.
 */
export type FlowUpdate = FlowChange | { readonly kind: "unclear" };

/** Asks to be told of every change to every flow from now on. */
export function encodeFlowMonitorRequest(xid: number): Buffer {
  const head = Buffer.alloc(MULTIPART_HEADER_BYTES + 16);
  head.writeUInt16BE(FLOW_MONITOR, 0);
  head.writeUInt32BE(MONITOR_ID, 8);
  head.writeUInt32BE(ANY, 12);
  head.writeUInt32BE(ANY, 16);
  head.writeUInt16BE(FLAGS, 20);
  head.writeUInt8(ALL_TABLES, 22);
  const body = Buffer.concat([head, Buffer.from(EVERYTHING)]);
  return encodeMessage(MESSAGE_TYPES.multipartRequest, xid, body);
}

/** Whether the body of a multipart reply is a flow monitor's. */
export function isFlowMonitorReply(body: Buffer): boolean {
  return body.length >= MULTIPART_HEADER_BYTES && body.readUInt16BE(0) === FLOW_MONITOR;
}

/**
 * Reads the body of a flow monitor's reply.
 * @throws RangeError when it is cut short
 */
export function decodeFlowUpdates(body: Buffer): FlowUpdate[] {
  const updates: FlowUpdate[] = [];
  let at = MULTIPART_HEADER_BYTES;
  while (at < body.length) {
    const length = body.readUInt16BE(at);
    if (length < 4 || at + length > body.length) {
      throw new RangeError(`a flow update of ${length} bytes in a message of ${body.length}`);
    }
    updates.push(decodeUpdate(body.subarray(at, at + length)));
    at += length;
  }
  return updates;
}

function decodeUpdate(update: Buffer): FlowUpdate {
  const kind = CHANGES.get(update.readUInt16BE(2) as 1 | 2 | 3);
  if (kind === undefined) return { kind: "unclear" };
  return {
    kind,
    table: update.readUInt8(4),
    priority: update.readUInt16BE(10),
    cookie: update.readBigUInt64BE(16),
  };
}
