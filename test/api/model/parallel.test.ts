import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseEngines } from "../../support/databases.js";
import { type Draw, draws, storms } from "./draws.js";
import { problemsIn } from "./invariants.js";
import { Memory } from "./memory.js";
import { realNames } from "./names.js";
import { perform } from "./perform.js";
import { PRELUDE } from "./prelude.js";
import { runParameters, TEST_LIMIT_MS } from "./settings.js";
import { takeSnapshot } from "./snapshot.js";
import { type World, WorldFactory } from "./world.js";

const RUNS = 6;

/** Rounds of calls made at once; the next round begins when all have been answered. */
const mixed = fc.array(draws, { minLength: 6, maxLength: 14 });
const rounds = fc
  .noBias(fc.array(fc.oneof(mixed, storms), { minLength: 6, maxLength: 16, size: "max" }))
  // Draws are functions; what they came to stands in the message of the failure.
  .map((all) => Object.assign(all, { [fc.toStringMethod]: () => `${all.length} rounds` }));

type Rounds = typeof rounds extends fc.Arbitrary<infer R> ? R : never;

async function play(world: World, all: Rounds): Promise<void> {
  const memory = new Memory();
  for (const draw of PRELUDE) await playRound(world, memory, [draw]);
  for (const round of all) await playRound(world, memory, round);
  await expectSettled(world);
}

async function playRound(world: World, memory: Memory, round: readonly Draw[]): Promise<void> {
  const universe = memory.universe(world, await takeSnapshot(world));
  const operations = round.flatMap((draw) => draw(universe) ?? []);
  const results = await Promise.allSettled(
    operations.map((operation) => perform(world, realNames, operation)),
  );
  const failures = results.flatMap((result, at) =>
    result.status === "rejected" ? [{ operation: operations[at], error: result.reason }] : [],
  );
  expect(failures).toEqual([]);
  expect(problemsIn(await takeSnapshot(world)), JSON.stringify(operations)).toEqual([]);
}

/** In the end nothing is left that the switch should have confirmed. */
async function expectSettled(world: World): Promise<void> {
  await world.reconciler.reconcileNow("all", false);
  const snapshot = await takeSnapshot(world);
  expect(problemsIn(snapshot)).toEqual([]);
  const settling = ["provisioning", "deleting"];
  expect(snapshot.peerings.filter(({ state }) => settling.includes(state))).toEqual([]);
  expect(world.reconciler.counters().failures).toBe(0);
}

describe.each(databaseEngines)("many calls at once, on $name", (engine) => {
  let factory: WorldFactory;

  beforeAll(async () => {
    factory = await WorldFactory.open(engine);
  });
  afterAll(() => factory.close());

  it(
    "keeps every guard",
    async () => {
      const property = fc.asyncProperty(rounds, async (all) => {
        const world = await factory.make("awake");
        try {
          await play(world, all);
        } finally {
          await world.reconciler.stop();
        }
      });
      // What races need not race again: a smaller example would be luck.
      await fc.assert(property, { ...runParameters(RUNS), endOnFailure: true });
    },
    TEST_LIMIT_MS,
  );

  if (engine.name === "postgres") {
    it("never runs into a deadlock", async () => {
      await factory.close(); // what its connections have counted is known once they have ended
      expect(await deadlocks(factory.databaseUrl)).toBe(0);
    });
  }
});

/** Deadlocks that were resolved by starting a transaction over, and so showed nowhere else. */
async function deadlocks(connectionString = ""): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows } = await client.query(
      "SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()",
    );
    return rows[0].deadlocks;
  } finally {
    await client.end();
  }
}
