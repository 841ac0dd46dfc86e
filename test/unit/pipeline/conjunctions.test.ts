import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatActions } from "../../../src/openflow/action.js";
import { type Clause, Conjunctions } from "../../../src/pipeline/conjunctions.js";

type Addition = readonly [match: Record<string, string>, id: number, clause: Clause];

const WEB = { ct_tp_dst: "443" };
const PEER = { ct_nw_src: "10.0.0.1" };

function flowsOf(additions: readonly Addition[]): string[] {
  const conjunctions = new Conjunctions();
  for (const [match, id, clause] of additions) conjunctions.add(match, id, clause);
  return conjunctions
    .conditions()
    .map(({ match, actions }) => `${JSON.stringify(match)} ${formatActions(actions)}`);
}

describe("conditions of conjunctions", () => {
  it("that several have in common are one flow, for all of them", () => {
    const additions: Addition[] = [
      [PEER, 7, "peer"],
      [WEB, 7, "traffic"],
      [WEB, 3, "traffic"],
    ];
    expect(flowsOf(additions)).toEqual([
      '{"ct_nw_src":"10.0.0.1"} conjunction(7,1/2)',
      '{"ct_tp_dst":"443"} conjunction(3,2/2),conjunction(7,2/2)',
    ]);
  });

  it("may be met by one match at once", () => {
    const both: Addition[] = [
      [WEB, 5, "traffic"],
      [WEB, 5, "peer"],
    ];
    expect(flowsOf(both)).toEqual(['{"ct_tp_dst":"443"} conjunction(5,1/2),conjunction(5,2/2)']);
  });

  it("are the same whatever order they come in, and however often", () => {
    const addition = fc.tuple(
      fc.constantFrom(WEB, PEER, { ...WEB, ...PEER }, { ...PEER, ...WEB }),
      fc.constantFrom(1, 2, 2 ** 31 + 1, 10),
      fc.constantFrom<Clause>("peer", "traffic"),
    );
    const shuffled = fc
      .array(addition)
      .chain((all) =>
        fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
      );
    const actions = (additions: readonly Addition[]) =>
      new Set(flowsOf(additions).map((flow) => flow.slice(flow.indexOf("conjunction"))));
    fc.assert(
      fc.property(shuffled, ([all, again]) => {
        expect(actions([...again, ...all])).toEqual(actions(all));
      }),
    );
  });

  it("tell whose conjunctions there are, each once", () => {
    const conjunctions = new Conjunctions();
    for (const id of [4, 2, 4]) conjunctions.add(WEB, id, "traffic");
    expect(conjunctions.ids()).toEqual([4, 2]);
  });
});
