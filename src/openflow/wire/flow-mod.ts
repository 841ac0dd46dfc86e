import type { Flow } from "../flow.js";
import { splitActions, writeActions } from "./actions.js";
import type { ByteWriter } from "./byte-writer.js";
import { writeMatch } from "./match.js";

/** Commands of a flow-mod (OpenFlow 1.4, section 7.3.4.2). */
const COMMANDS = { add: 0, deleteStrict: 4 } as const;

/** Types of instructions (section 7.2.4). */
const GOTO_TABLE = 1;
const APPLY_ACTIONS = 4;

const ANY = 0xffffffff;
const EVERY_BIT = 2n ** 64n - 1n;

/**
 * Writes the body of the message that installs the flow, as `formatFlowMod` does in words. The flow
 * replaces the one that has its identity.
 * @throws NotEncodable, RangeError for a number that does not fit its field
 */
export function writeAdd(writer: ByteWriter, flow: Flow): void {
  writeHead(writer, flow, COMMANDS.add, 0n);
  writeMatch(writer, flow.match);
  if (flow.actions === "drop") return;
  const actions = splitActions(flow.actions);
  const [, next] = /^goto_table:(\d+)$/.exec(actions.at(-1) ?? "") ?? [];
  const applied = next === undefined ? actions : actions.slice(0, -1);
  if (applied.length > 0) writeApplied(writer, applied);
  if (next !== undefined) writeGoto(writer, Number(next));
}

/** As `formatDelete`: the flow goes only while it carries its cookie. */
export function writeDelete(writer: ByteWriter, flow: Flow): void {
  writeHead(writer, flow, COMMANDS.deleteStrict, EVERY_BIT);
  writeMatch(writer, flow.match);
}

function writeHead(writer: ByteWriter, flow: Flow, command: number, cookieMask: bigint): void {
  writer.uint64(flow.cookie);
  writer.uint64(cookieMask);
  writer.uint8(flow.table);
  writer.uint8(command);
  // Idle and hard timeout.
  writer.zeros(4);
  writer.uint16(flow.priority);
  // No packet is buffered, and flows of any port and group are meant.
  writer.uint32(ANY);
  writer.uint32(ANY);
  writer.uint32(ANY);
  // Flags and importance.
  writer.zeros(4);
}

function writeApplied(writer: ByteWriter, actions: readonly string[]): void {
  const start = writer.length;
  writer.uint16(APPLY_ACTIONS);
  writer.uint16(0);
  writer.zeros(4);
  writeActions(writer, actions);
  writer.fillInLength(start + 2, start);
}

function writeGoto(writer: ByteWriter, table: number): void {
  writer.uint16(GOTO_TABLE);
  writer.uint16(8);
  writer.uint8(table);
  writer.zeros(3);
}
