import type { Flow } from "./flow.js";
import { flowKey } from "./text.js";

export interface KeyedFlow {
  readonly key: string;
  readonly flow: Flow;
}

/** Flows that come and go together. A part never changes: another one takes its place. */
export interface Part {
  readonly flows: readonly KeyedFlow[];
}

export function partOf(flows: readonly Flow[]): Part {
  return { flows: flows.map((flow) => ({ key: flowKey(flow), flow })) };
}
