import type { Match } from "../flow.js";
import type { ByteWriter } from "./byte-writer.js";
import { readFieldValue } from "./field-values.js";
import { MATCH_FIELDS, type WireField } from "./fields.js";
import { NotEncodable } from "./not-encodable.js";

const OXM_MATCH = 1;

/** What protocol words stand for (ovs-fields(7)). */
const PROTOCOLS: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ["ip", new Map([["dl_type", "0x0800"]])],
  ["arp", new Map([["dl_type", "0x0806"]])],
  [
    "tcp",
    new Map([
      ["dl_type", "0x0800"],
      ["nw_proto", "6"],
    ]),
  ],
  [
    "icmp",
    new Map([
      ["dl_type", "0x0800"],
      ["nw_proto", "1"],
    ]),
  ],
]);

/**
 * Writes a match (OpenFlow 1.4, section 7.2.3.1), padded.
 * @throws NotEncodable
 */
export function writeMatch(writer: ByteWriter, match: Match): void {
  const fields = withoutWords(match);
  const start = writer.length;
  writer.uint16(OXM_MATCH);
  writer.uint16(0);
  for (const [name, field] of MATCH_FIELDS) {
    const text = fields.get(name);
    if (text === undefined) continue;
    const { value, mask } = readFieldValue(field, text);
    writeHeader(writer, field, mask !== undefined);
    writer.bytes(value);
    if (mask !== undefined) writer.bytes(mask);
  }
  writer.fillInLength(start + 2, start);
  writer.padFrom(start);
}

/** Names a field; what follows is its value, and with `masked` its mask. */
export function writeHeader(writer: ByteWriter, field: WireField, masked: boolean): void {
  const { oxmClass, oxmField, bytes, experimenter } = field;
  const idBytes = experimenter === undefined ? 0 : 4;
  writer.uint16(oxmClass);
  writer.uint8((oxmField << 1) | (masked ? 1 : 0));
  writer.uint8(idBytes + (masked ? 2 * bytes : bytes));
  if (experimenter !== undefined) writer.uint32(experimenter);
}

function withoutWords(match: Match): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(match)) {
    if (value === true) {
      const meaning = PROTOCOLS.get(name);
      if (meaning === undefined) throw new NotEncodable(`a match on ${name}`);
      for (const [field, text] of meaning) fields.set(field, text);
    } else {
      if (!MATCH_FIELDS.has(name)) throw new NotEncodable(`a match on ${name}`);
      fields.set(name, value);
    }
  }
  return fields;
}
