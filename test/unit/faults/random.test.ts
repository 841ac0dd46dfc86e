import { expect, it } from "vitest";
import { Random } from "../../faults/random.js";

const draw = (random: Random) => Array.from({ length: 50 }, () => random.between(1, 1000));

it("draws the same from the same seed, and something else from another", () => {
  expect(draw(new Random(7))).toEqual(draw(new Random(7)));
  expect(draw(new Random(7))).not.toEqual(draw(new Random(8)));
});

it("shuffles without losing or doubling anything", () => {
  const deck = [1, 2, 3, 4, 5, 6, 7, 8];
  const shuffled = new Random(3).shuffled(deck);
  expect(shuffled).not.toEqual(deck);
  expect([...shuffled].sort()).toEqual(deck);
});
