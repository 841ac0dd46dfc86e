import type { ByteWriter } from "./byte-writer.js";
import { readFieldValue } from "./field-values.js";
import { PART_FIELDS, SET_FIELDS, type WireField } from "./fields.js";
import { writeHeader } from "./match.js";
import { NotEncodable } from "./not-encodable.js";

/** Types of actions (OpenFlow 1.4, section 7.2.5). */
const OUTPUT = 0;
const DECREMENT_TTL = 24;
const SET_FIELD = 25;
const EXPERIMENTER = 0xffff;

const NICIRA_ID = 0x2320;
/** Nicira's actions (lib/ofp-actions.c of Open vSwitch). */
const NICIRA = { move: 6, resubmitTable: 14, conjunction: 34, ct: 35 } as const;

const IN_PORT = 0xfffffff8;
/** The same for `resubmit`, which knows ports of 16 bits only. */
const SAME_PORT = 0xfff8;
const CT_COMMIT = 1;
const NO_RECIRCULATION = 0xff;

type Write = (writer: ByteWriter, ...parts: string[]) => void;

/** Each action of the vocabulary by how the switch spells it. */
const VOCABULARY: readonly (readonly [pattern: RegExp, write: Write])[] = [
  [/^set_field:([^-]+)->(\w+)$/, writeSetField],
  [/^move:([^-]+)->(.+)$/, writeMove],
  [/^output:(\d+)$/, (writer, port) => writeOutput(writer, Number(port))],
  [/^IN_PORT$/, (writer) => writeOutput(writer, IN_PORT)],
  [/^dec_ttl$/, (writer) => writeAction(writer, DECREMENT_TTL, () => writer.zeros(4))],
  [/^resubmit\(,(\d+)\)$/, writeResubmit],
  [/^conjunction\((\d+),(\d+)\/(\d+)\)$/, writeConjunction],
  [/^ct\(table=(\d+),zone=([^,]+)\)$/, writeTrack],
  [/^ct\(commit,(?:table=(\d+),)?zone=([^,]+),exec\((.*)\)\)$/, writeCommit],
];

/**
 * Writes actions in the switch's spelling, such as `set_field:0x1->reg7,output:3`.
 * @throws NotEncodable
 */
export function writeActions(writer: ByteWriter, actions: readonly string[]): void {
  for (const action of actions) writeOne(writer, action);
}

function writeOne(writer: ByteWriter, action: string): void {
  for (const [pattern, write] of VOCABULARY) {
    const found = pattern.exec(action);
    if (found === null) continue;
    write(writer, ...found.slice(1));
    return;
  }
  throw new NotEncodable(`the action "${action}"`);
}

/** The single actions of a list; commas within parentheses are their own. */
export function splitActions(text: string): string[] {
  const actions: string[] = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    else if (character === "," && depth === 0) {
      actions.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...actions, text.slice(start)];
}

function writeSetField(writer: ByteWriter, text = "", name = ""): void {
  const field = SET_FIELDS.get(name);
  if (field === undefined) throw new NotEncodable(`setting ${name}`);
  const { value, mask } = readFieldValue(field, text);
  if (mask !== undefined) throw new NotEncodable(`setting a part of ${name}`);
  writeAction(writer, SET_FIELD, () => {
    writeHeader(writer, field, false);
    writer.bytes(value);
  });
}

function writeMove(writer: ByteWriter, from = "", to = ""): void {
  const [source, target] = [readBits(from), readBits(to)];
  if (source.count !== target.count) throw new NotEncodable(`moving ${from} to ${to}`);
  writeNicira(writer, NICIRA.move, () => {
    writer.uint16(source.count);
    writer.uint16(source.first);
    writer.uint16(target.first);
    writeHeader(writer, source.field, false);
    writeHeader(writer, target.field, false);
  });
}

function writeOutput(writer: ByteWriter, port: number): void {
  writeAction(writer, OUTPUT, () => {
    writer.uint32(port);
    // How much of a packet the controller gets; there is none here.
    writer.uint16(0);
    writer.zeros(6);
  });
}

function writeResubmit(writer: ByteWriter, table: string): void {
  writeNicira(writer, NICIRA.resubmitTable, () => {
    writer.uint16(SAME_PORT);
    writer.uint8(Number(table));
    writer.zeros(3);
  });
}

/** Clauses are counted from zero on the wire. */
function writeConjunction(writer: ByteWriter, id: string, clause: string, of: string): void {
  writeNicira(writer, NICIRA.conjunction, () => {
    writer.uint8(Number(clause) - 1);
    writer.uint8(Number(of));
    writer.uint32(Number(id));
  });
}

function writeTrack(writer: ByteWriter, table: string, zone: string): void {
  writeCt(writer, { flags: 0, zone, table: Number(table), nested: [] });
}

function writeCommit(
  writer: ByteWriter,
  next: string | undefined,
  zone: string,
  nested: string,
): void {
  const table = next === undefined ? NO_RECIRCULATION : Number(next);
  writeCt(writer, { flags: CT_COMMIT, zone, table, nested: splitActions(nested) });
}

interface Ct {
  readonly flags: number;
  readonly zone: string;
  readonly table: number;
  readonly nested: readonly string[];
}

function writeCt(writer: ByteWriter, { flags, zone, table, nested }: Ct): void {
  const { field, first, count } = readBits(zone);
  writeNicira(writer, NICIRA.ct, () => {
    writer.uint16(flags);
    writeHeader(writer, field, false);
    writer.uint16((first << 6) | (count - 1));
    writer.uint8(table);
    writer.zeros(5);
    writeActions(writer, nested);
  });
}

interface Bits {
  readonly field: WireField;
  readonly first: number;
  readonly count: number;
}

/** A field or some bits of it, such as `NXM_NX_REG6[8..15]`; without numbers all. */
function readBits(text: string): Bits {
  const [, name = "", from, to] = /^(\w+)\[(?:(\d+)\.\.(\d+))?\]$/.exec(text) ?? [];
  const field = PART_FIELDS.get(name);
  if (field === undefined) throw new NotEncodable(`the field "${text}"`);
  if (from === undefined || to === undefined) return { field, first: 0, count: 8 * field.bytes };
  const [first, count] = [Number(from), Number(to) - Number(from) + 1];
  if (count < 1 || first + count > 8 * field.bytes) throw new NotEncodable(`the bits "${text}"`);
  return { field, first, count };
}

function writeNicira(writer: ByteWriter, subtype: number, writeRest: () => void): void {
  writeAction(writer, EXPERIMENTER, () => {
    writer.uint32(NICIRA_ID);
    writer.uint16(subtype);
    writeRest();
  });
}

/** Lengths count the padding, as those of matches do not. */
function writeAction(writer: ByteWriter, type: number, writeRest: () => void): void {
  const start = writer.length;
  writer.uint16(type);
  writer.uint16(0);
  writeRest();
  writer.padFrom(start);
  writer.fillInLength(start + 2, start);
}
