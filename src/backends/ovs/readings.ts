import { observe } from "./observe.js";
import type { PlannerParts } from "./planner.js";

/** Some 50 ms on an idle machine: whoever wants to change something waits no longer. */
const BRIDGES_AT_A_TIME = 8;

/** Pieces of work that read all bridges of this installation, a few at a time. */
export function readings({
  watch,
  belief,
  ofctl,
  conntrackSettings,
}: Pick<PlannerParts, "watch" | "belief" | "ofctl" | "conntrackSettings">): Array<
  () => Promise<void>
> {
  const isOwn = (name: string) => watch.topology.bridges.get(name)?.own === true;
  const names = [...watch.topology.bridges.keys()].filter(isOwn);
  const pieces: Array<() => Promise<void>> = [];
  for (let from = 0; from < names.length; from += BRIDGES_AT_A_TIME) {
    const some = names.slice(from, from + BRIDGES_AT_A_TIME);
    pieces.push(async () => {
      await watch.ready();
      // One that cannot be read is not believed in any more: the next plan says what is wrong.
      await observe(some.filter(isOwn), belief, ofctl, true);
    });
  }
  pieces.push(() => conntrackSettings.refresh());
  return pieces;
}
