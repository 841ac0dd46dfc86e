import type { Fields } from "./fields.js";
import { isQuery, reversed, type Tuple, tupleKey, tupleOf } from "./tuple.js";

/** What is noted with a connection. */
export interface Notes {
  readonly ct_mark: string;
  readonly ct_label: string;
}

interface Connection {
  readonly original: Tuple;
  notes: Notes;
  answered: boolean;
}

const NO_NOTES: Notes = { ct_mark: "0", ct_label: "0" };

/**
 * The connections that a host remembers, by zone: the rules of conntrack that the pipeline relies
 * on. A connection is new until it is answered, also once it is committed; the fields of the
 * original direction are set from the first packet on (ovs-fields(7)).
 */
export class Conntrack {
  readonly #zones = new Map<string, Map<string, Connection>>();

  /** How many connections a zone has room for. */
  limit = Number.POSITIVE_INFINITY;

  /**
   * The packet as it comes out of `ct(table=…)`. A packet with `about` is an ICMP error about a
   * packet with that tuple, and one with `bad` is what conntrack calls invalid; but a zone that does
   * not know its connection, where the interface's other one does, takes it for a new one.
   */
  track(zone: string, packet: Fields, about?: Tuple): Fields {
    const tuple = about ?? tupleOf(packet);
    const forth = this.#find(zone, tuple);
    const back = this.#find(zone, reversed(tuple));
    const found = forth ?? back;
    if (packet["bad"] === true) return this.#bad(zone, packet, tuple, found);
    if (about !== undefined) return this.#related(packet, found, forth === undefined);
    if (found === undefined) {
      const opens = tuple.protocol !== 1 || isQuery(tuple.to);
      return opens
        ? { ...packet, ...original(tuple), ...NO_NOTES, ct_state: "new|trk" }
        : { ...packet, ct_state: "inv|trk" };
    }
    const state = this.#stateOf(found, forth === undefined);
    return { ...packet, ...original(found.original), ...found.notes, ct_state: state };
  }

  /**
   * `ct(commit)`: notes of a connection that is known are replaced.
   * @returns the notes that the packet goes on with: none for want of room
   */
  commit(zone: string, packet: Fields, notes: Partial<Notes>): Notes {
    const tuple = tupleOf(packet);
    const known = this.#find(zone, tuple);
    const connections = this.#zones.get(zone) ?? new Map<string, Connection>();
    if (known === undefined && connections.size >= this.limit) return NO_NOTES;
    const connection = known ?? { original: tuple, notes: NO_NOTES, answered: false };
    connection.notes = { ...connection.notes, ...notes };
    this.#zones.set(zone, connections);
    connections.set(tupleKey(tuple), connection);
    return connection.notes;
  }

  #bad(zone: string, packet: Fields, tuple: Tuple, found: Connection | undefined): Fields {
    const other = siblingOf(zone);
    const isOthers = this.#find(other, tuple) ?? this.#find(other, reversed(tuple));
    return found === undefined && isOthers !== undefined && tuple.protocol === TCP
      ? { ...packet, ...original(tuple), ...NO_NOTES, ct_state: "new|trk" }
      : { ...packet, ct_state: "inv|trk" };
  }

  #find(zone: string, tuple: Tuple): Connection | undefined {
    return this.#zones.get(zone)?.get(tupleKey(tuple));
  }

  #stateOf(found: Connection, isReply: boolean): string {
    if (isReply) found.answered = true;
    if (isReply) return "est|rpl|trk";
    return found.answered ? "est|trk" : "new|trk";
  }

  /** An error runs against the packet that it is about. */
  #related(packet: Fields, found: Connection | undefined, aboutReply: boolean): Fields {
    if (found === undefined) return { ...packet, ct_state: "inv|trk" };
    const state = aboutReply ? "rel|trk" : "rel|rpl|trk";
    return { ...packet, ...original(found.original), ...found.notes, ct_state: state };
  }
}

const TCP = 6;

/** The two zones of an interface are neighbours here: see topologies.ts. */
function siblingOf(zone: string): string {
  return `0x${(Number(zone) ^ 1).toString(16)}`;
}

function original({ protocol, source, target, from, to }: Tuple): Fields {
  const ends = { ct_nw_proto: String(protocol), ct_nw_src: source, ct_nw_dst: target };
  return protocol === 1 ? ends : { ...ends, ct_tp_src: String(from), ct_tp_dst: String(to) };
}
