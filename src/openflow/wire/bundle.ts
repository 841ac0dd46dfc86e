import type { BundleStep } from "../bundle-step.js";
import { ByteWriter } from "./byte-writer.js";
import { writeAdd, writeDelete } from "./flow-mod.js";
import { MESSAGE_TYPES, type Message, writeMessage } from "./message.js";

/** Types of bundle control messages (OpenFlow 1.4, section 7.3.9.2). */
const CONTROL = { open: 0, commit: 4, commitReply: 5 } as const;

/** All or nothing, and in order. */
const FLAGS = (1 << 0) | (1 << 1);

/** Known to its connection only. */
const BUNDLE_ID = 1;

/** A chunk is sent once it has this size: large bundles are not encoded all at once. */
const CHUNK_BYTES = 32 * 1024;

/** A hello that offers this version alone (section 7.5.1). */
const VERSION_BITMAP = [0, 1, 0, 8, 0, 0, 0, 1 << 5];

/** Answers are told apart by these; steps are counted up from the last. */
export const BUNDLE_XIDS = { hello: 1, open: 2, barrier: 3, commit: 4, firstStep: 5 } as const;

/**
 * A connection's first messages: a bundle with all steps, and a barrier. Nothing is done until it
 * is committed; whoever commits it must know that no step was refused, for the switch would leave
 * out just those.
 * @throws NotEncodable while it is being read
 */
export function* encodeStaging(steps: readonly BundleStep[]): Generator<Buffer> {
  const writer = new ByteWriter();
  const { hello, open, barrier, firstStep } = BUNDLE_XIDS;
  writeMessage(writer, MESSAGE_TYPES.hello, hello, () => writer.bytes(VERSION_BITMAP));
  writeControl(writer, open, CONTROL.open);
  for (const [index, step] of steps.entries()) {
    writeStep(writer, firstStep + index, step);
    if (writer.length >= CHUNK_BYTES) yield writer.take();
  }
  writeMessage(writer, MESSAGE_TYPES.barrierRequest, barrier);
  yield writer.take();
}

export function encodeCommit(): Buffer {
  const writer = new ByteWriter();
  writeControl(writer, BUNDLE_XIDS.commit, CONTROL.commit);
  return writer.take();
}

export function isCommitReply({ type, xid, body }: Message): boolean {
  if (type !== MESSAGE_TYPES.bundleControl || xid !== BUNDLE_XIDS.commit) return false;
  return body.length >= 6 && body.readUInt16BE(4) === CONTROL.commitReply;
}

function writeControl(writer: ByteWriter, xid: number, control: number): void {
  writeMessage(writer, MESSAGE_TYPES.bundleControl, xid, () => {
    writer.uint32(BUNDLE_ID);
    writer.uint16(control);
    writer.uint16(FLAGS);
  });
}

/** Both messages have the same number: the switch tells either when it refuses. */
function writeStep(writer: ByteWriter, xid: number, { kind, flow }: BundleStep): void {
  writeMessage(writer, MESSAGE_TYPES.bundleAdd, xid, () => {
    writer.uint32(BUNDLE_ID);
    writer.zeros(2);
    writer.uint16(FLAGS);
    writeMessage(writer, MESSAGE_TYPES.flowMod, xid, () => {
      if (kind === "add") writeAdd(writer, flow);
      else writeDelete(writer, flow);
    });
  });
}
