import fc, { type AsyncCommand } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseEngines } from "../../support/databases.js";
import { type Draw, draws } from "./draws.js";
import { step, viewOf } from "./model.js";
import { Labels } from "./names.js";
import { eventsOf, observe, observeEvents } from "./observe.js";
import { type Operation, TENANTS } from "./operations.js";
import { perform } from "./perform.js";
import { PRELUDE } from "./prelude.js";
import { runParameters, TEST_LIMIT_MS } from "./settings.js";
import { initialState, type State, universeOf } from "./state.js";
import { START, type World, WorldFactory } from "./world.js";

const RUNS = 7;
const COMMANDS = 120;

interface Model {
  state: State;
}

interface Real {
  readonly world: World;
  readonly labels: Labels;
}

/** Lets the model and the services do the same, and compares what then is answered and shown. */
class Step implements AsyncCommand<Model, Real>, fc.WithCloneMethod<Step> {
  #operation: Operation | undefined;

  constructor(readonly draw: Draw) {}

  check({ state }: Model): boolean {
    this.#operation = this.draw(universeOf(state));
    return this.#operation !== undefined;
  }

  async run(model: Model, { world, labels }: Real): Promise<void> {
    const operation = this.#operation;
    if (operation === undefined) return;
    const { state, outcome } = step(model.state, operation);
    model.state = state;
    count(operation.kind, outcome.code);
    expect(await perform(world, labels, operation)).toEqual(outcome);
    // What a refusal would have left behind shows after the next success.
    if (outcome.code === "ok") await expectSameView(model, { world, labels });
  }

  /** Each attempt at a smaller example operates on something else; what is printed has to last. */
  [fc.cloneMethod](): Step {
    return new Step(this.draw);
  }

  toString(): string {
    return JSON.stringify(this.#operation);
  }
}

async function expectSameView({ state }: Model, { world, labels }: Real): Promise<void> {
  for (const tenant of TENANTS) {
    expect(await observe(world, labels, tenant)).toEqual(viewOf(state, tenant));
  }
}

async function expectSameEvents({ state }: Model, { world, labels }: Real): Promise<void> {
  for (const tenant of TENANTS) {
    const seen = await observeEvents(world, labels, tenant);
    expect(seen).toEqual(eventsOf(state.events, tenant));
  }
}

const counts = new Map<string, number>();
function count(kind: string, code: string): void {
  const key = `${kind} ${code}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Without bias: short sequences reach little. */
const commands = fc.noBias(
  fc.commands<Model, Real, false>([draws.map((draw) => new Step(draw))], {
    maxCommands: COMMANDS,
    size: "max",
  }),
);

describe.each(databaseEngines)("one call after the other, on $name", (engine) => {
  let factory: WorldFactory;

  beforeAll(async () => {
    factory = await WorldFactory.open(engine);
  });
  afterAll(() => factory.close());

  it(
    "answers and shows what the model says",
    async () => {
      const property = fc.asyncProperty(commands, async (steps) => {
        const real = { world: await factory.make("manual"), labels: new Labels() };
        const model: Model = { state: initialState(START) };
        const prelude = PRELUDE.map((draw) => new Step(draw));
        await fc.asyncModelRun(async () => ({ model, real }), [...prelude, ...steps]);
        await expectSameView(model, real);
        await expectSameEvents(model, real);
      });
      await fc.assert(property, runParameters(RUNS));
    },
    TEST_LIMIT_MS,
  );

  it("has reached what it is about", () => {
    const kinds = ["request", "accept", "delete-peering", "add-block", "create-route"];
    for (const kind of kinds) expect(counts.get(`${kind} ok`), kind).toBeGreaterThan(0);
  });
});
