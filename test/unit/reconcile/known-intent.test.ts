import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IntentSlice, PeeringIntent, Scope } from "../../../src/domain/intent.js";
import { KnownIntent } from "../../../src/reconcile/known-intent.js";
import { peeringIntent, scopeOf, slice, vpcId, vpcIntent } from "../../support/intents.js";

const NUMBERS = [1, 2, 3, 4, 5];

/** Everything that is stored: which VPCs there are, and which pairs are peered. */
interface Stored {
  readonly vpcs: readonly number[];
  readonly pairs: readonly (readonly [number, number])[];
}

const numbers = fc.subarray(NUMBERS);
const allPairs = NUMBERS.flatMap((a) => NUMBERS.filter((b) => b > a).map((b) => [a, b] as const));
const stored = fc.record({ vpcs: numbers, pairs: fc.subarray(allPairs) }).map(withoutLooseEnds);
const scope: fc.Arbitrary<Scope> = fc.oneof(
  fc.constant("all" as const),
  numbers.map((some) => scopeOf(...some)),
);

function withoutLooseEnds({ vpcs, pairs }: Stored): Stored {
  return { vpcs, pairs: pairs.filter((pair) => pair.every((n) => vpcs.includes(n))) };
}

/** Changes the VPCs of the scope, and the peerings that they take part in, into those of `after`. */
function changed(before: Stored, after: Stored, within: Scope): Stored {
  const isWithin = (n: number) => within === "all" || within.has(vpcId(n));
  const touches = (pair: readonly number[]) => pair.some(isWithin);
  return withoutLooseEnds({
    vpcs: [...before.vpcs.filter((n) => !isWithin(n)), ...after.vpcs.filter(isWithin)],
    pairs: [...before.pairs.filter((p) => !touches(p)), ...after.pairs.filter(touches)],
  });
}

function read(from: Stored, within: Scope): IntentSlice {
  const peerings = from.pairs.map(([a, b]) => peeringIntent(a * 10 + b, a, b));
  // Routes are a VPC's own, and read with it: here none, lest they change with a peer's deletion.
  const { vpcs, ...rest } = slice(
    within,
    from.vpcs.map((n) => vpcIntent(n)),
  );
  return { ...rest, vpcs, peerings: slice(within, [], peerings).peerings };
}

const comparable = ({ vpcs, peerings }: IntentSlice) => ({
  vpcs: [...vpcs.keys()].sort(),
  peerings: peerings.map(({ id }: PeeringIntent) => id).sort(),
});

describe("what is known of intent", () => {
  it("is what would be read, as long as what changes is read", () => {
    const steps = fc.array(fc.record({ to: stored, within: scope }), { maxLength: 6 });
    fc.assert(
      fc.property(stored, steps, scope, (first, changes, asked) => {
        const known = new KnownIntent();
        known.learn(read(first, "all"));
        let now = first;
        for (const { to, within } of changes) {
          now = changed(now, to, within);
          known.learn(read(now, within));
        }
        const recalled = known.recall(asked);
        expect(recalled && comparable(recalled)).toEqual(comparable(read(now, asked)));
      }),
    );
  });

  it("is nothing before all of it was read", () => {
    const known = new KnownIntent();
    known.learn(read({ vpcs: [1, 2], pairs: [] }, scopeOf(1)));
    expect(known.recall(scopeOf(1))).toBeUndefined();
    expect(known.recall("all")).toBeUndefined();
  });

  it("is of the generation that was read last", () => {
    const known = new KnownIntent();
    known.learn({ ...slice("all", [vpcIntent(1)]), generation: 7 });
    known.learn({ ...slice(scopeOf(1), [vpcIntent(1)]), generation: 9 });
    expect(known.recall("all")).toMatchObject({ scope: "all", generation: 9 });
  });
});
