import type { Flow } from "./flow.js";
import { parseFlow } from "./parse.js";

/** A flow as it is installed, with what it has matched so far. */
export interface CountedFlow {
  readonly flow: Flow;
  readonly packets: number;
  readonly bytes: number;
  /** Since it was installed. Installing it anew starts this again and keeps the counts. */
  readonly seconds: number;
}

/**
 * Reads one line of `ovs-ofctl --no-names dump-flows` with statistics. Lines that hold no flow,
 * such as the reply's heading, yield undefined.
 * @throws SyntaxError on a flow that cannot be read, or without statistics: it must not pass for 0
 */
export function parseCountedFlow(line: string): CountedFlow | undefined {
  const flow = parseFlow(line);
  if (flow === undefined) return undefined;
  return {
    flow,
    packets: readStatistic(line, "n_packets"),
    bytes: readStatistic(line, "n_bytes"),
    seconds: readStatistic(line, "duration"),
  };
}

/** Whether a line is of a flow that has matched nothing; far cheaper than reading the flow. */
export function countsNothing(line: string): boolean {
  return line.includes(" n_packets=0,");
}

function readStatistic(line: string, name: string): number {
  const found = new RegExp(`(?:^|\\s)${name}=(\\d+(?:\\.\\d+)?)s?,`).exec(line)?.[1];
  if (found === undefined) throw new SyntaxError(`a flow without ${name}: "${line}"`);
  return Number(found);
}
