import type { Flow, Match } from "./flow.js";

const DEFAULT_PRIORITY = 32768;

/** Counters and ages: they say nothing about what a flow does. */
const STATISTICS = new Set(["duration", "n_packets", "n_bytes", "idle_age", "hard_age"]);

const EXTRAS = new Set([
  "idle_timeout",
  "hard_timeout",
  "importance",
  "send_flow_rem",
  "check_overlap",
  "reset_counts",
  "no_packet_counts",
  "no_byte_counts",
  "no_readonly_table",
]);

/** A word or `field=value`; values such as `(1,0x800)` of packet_type keep their comma. */
const TOKEN = /(?:[^\s,()]|\([^)]*\))+/g;

const ACTIONS = /(?:^|\s)actions=/;

interface Head {
  table: number;
  priority: number;
  cookie: bigint;
  match: Record<string, string | true>;
  extras: string[];
}

/**
 * Reads one line of `ovs-ofctl --no-names dump-flows`, with or without statistics. Lines that hold
 * no flow, such as the reply's heading, yield undefined.
 * @throws SyntaxError on a flow that cannot be read: it must not pass for absent
 */
export function parseFlow(line: string): Flow | undefined {
  const found = ACTIONS.exec(line);
  if (found === null) return undefined;
  const head = parseHead(line.slice(0, found.index));
  const { table, priority, cookie, extras } = head;
  const match: Match = head.match;
  const actions = line.slice(found.index + found[0].length).trim();
  const flow = {
    table,
    priority,
    cookie,
    match,
    actions: actions === "" ? "drop" : actions,
  };
  return extras.length === 0 ? flow : { ...flow, extras };
}

/**
 * Reads all of what `ovs-ofctl --no-names dump-flows` prints.
 * @throws SyntaxError when a line cannot be read: no flow may pass for absent
 */
export function parseFlows(text: string): Flow[] {
  return text.split("\n").flatMap((line) => parseFlow(line) ?? []);
}

function parseHead(text: string): Head {
  const head: Head = {
    table: 0,
    priority: DEFAULT_PRIORITY,
    cookie: 0n,
    match: {},
    extras: [],
  };
  for (const token of text.match(TOKEN) ?? []) readToken(head, token);
  return head;
}

function readToken(head: Head, token: string): void {
  const equals = token.indexOf("=");
  const name = equals < 0 ? token : token.slice(0, equals);
  const value = equals < 0 ? true : token.slice(equals + 1);
  if (STATISTICS.has(name)) return;
  if (EXTRAS.has(name)) head.extras.push(token);
  else if (name === "table") head.table = readNumber(token, value);
  else if (name === "priority") head.priority = readNumber(token, value);
  else if (name === "cookie") head.cookie = readCookie(token, value);
  else head.match[name] = value;
}

function readNumber(token: string, value: string | true): number {
  if (value === true || !/^\d+$/.test(value)) throw new SyntaxError(`not a flow: "${token}"`);
  return Number(value);
}

function readCookie(token: string, value: string | true): bigint {
  if (value === true || !/^0x[0-9a-f]+$/i.test(value)) {
    throw new SyntaxError(`not a flow: "${token}"`);
  }
  return BigInt(value);
}
