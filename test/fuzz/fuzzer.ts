import { Random } from "../faults/random.js";
import { type Call, drawCall, requestOf, smaller } from "./calls.js";
import { Contract } from "./contract.js";
import { type Operation, operationsOf, type Schema } from "./document.js";
import { Pool } from "./pool.js";
import { Snapshots } from "./snapshot.js";
import { type Answer, curlLine, type Transport } from "./transport.js";
import { World } from "./world.js";

export interface FuzzOptions {
  readonly transport: Transport;
  readonly operatorToken: string;
  readonly seed: number;
}

/** What was found, and how to see it again. */
export interface Finding {
  /** By seed and number the run finds it again, by the line whoever has a like world. */
  readonly seed: number;
  readonly number: number;
  readonly caller: string;
  readonly fault: string;
  readonly curl: string;
}

/** How many calls of each operation got each status. */
export type Tally = ReadonlyMap<string, ReadonlyMap<number, number>>;

const MOST_FINDINGS = 20;
const MOST_SHRINKS = 40;
/** Until there is something to call for. */
const EARLY_CALLS = 80;

/** Makes calls from the description, one after another, and judges each answer. */
export class Fuzzer {
  readonly #options: FuzzOptions;
  readonly #random: Random;
  readonly #world: World;
  readonly #pool = new Pool();
  readonly #contract: Contract;
  readonly #operations: readonly Operation[];
  readonly #snapshots: Snapshots;
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #findings = new Map<string, Finding>();
  readonly #tally = new Map<string, Map<number, number>>();
  #number = 0;
  /** Undefined: something may have changed since. */
  #before: string | undefined;

  /** Reads the description and opens the world. */
  static async start(options: FuzzOptions): Promise<Fuzzer> {
    const { transport, operatorToken } = options;
    const { text } = await transport({ method: "GET", url: "/openapi.json", headers: {} });
    const world = new World(transport, operatorToken);
    await world.open();
    return new Fuzzer(options, JSON.parse(text), world);
  }

  private constructor(options: FuzzOptions, description: ReturnType<JSON["parse"]>, world: World) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#world = world;
    this.#contract = new Contract(description);
    this.#operations = operationsOf(description);
    this.#schemas = description.components.schemas;
    this.#snapshots = new Snapshots(world, this.#operations);
  }

  get world(): World {
    return this.#world;
  }

  get findings(): readonly Finding[] {
    return [...this.#findings.values()];
  }

  get tally(): Tally {
    return this.#tally;
  }

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** How many calls were made in all runs. */
  get made(): number {
    return this.#number;
  }

  /** By others than this run: what was seen before does not count. */
  somethingChanged(): void {
    this.#before = undefined;
  }

  /** @returns once so many calls were made, or too much was found to go on */
  async run(calls: number): Promise<void> {
    for (let made = 0; made < calls && this.#findings.size < MOST_FINDINGS; made += 1) {
      this.#number += 1;
      await this.#one();
    }
  }

  async #one(): Promise<void> {
    const random = this.#random;
    const caller = random.pick(this.#world.callers());
    const source = {
      random,
      known: (pattern: RegExp) => this.#pool.pick(random, caller.tenant, pattern),
      resolve: (reference: string) => this.#schemas[reference.split("/").at(-1) ?? ""] ?? {},
    };
    const call = drawCall(source, this.#drawOperation(), caller);
    const reads = call.operation.method === "GET";
    if (!reads) this.#before ??= await this.#snapshots.settled();
    const answer = await this.#send(call);
    await this.#judgeAnswer(call, answer);
    if (!reads) await this.#judgeChange(call, answer);
    if (answer.status === 401) await this.#world.letInAgain(caller);
    if (answer.status === 401 && caller.tenant !== "nobody") this.#before = undefined;
  }

  /** What makes something more often than what takes it away, and at first hardly anything else. */
  #drawOperation(): Operation {
    const random = this.#random;
    const makers = this.#operations.filter(makesSomething);
    const early = this.#number < EARLY_CALLS;
    if (makers.length > 0 && random.chance(early ? 0.8 : 0.25)) return random.pick(makers);
    const method = random.pick(["GET", "POST", "POST", "POST", "PATCH", "PUT", "DELETE"]);
    const fitting = this.#operations.filter((operation) => operation.method === method);
    return random.pick(fitting.length > 0 ? fitting : this.#operations);
  }

  async #send(call: Call): Promise<Answer> {
    const request = requestOf(call);
    this.#pool.sent(call.caller.tenant, `${decodeURIComponent(request.url)} ${request.body ?? ""}`);
    const answer = await this.#options.transport(request);
    this.#count(call.operation.id, answer.status);
    return answer;
  }

  #count(id: string, status: number): void {
    const counts = this.#tally.get(id) ?? new Map<number, number>();
    counts.set(status, (counts.get(status) ?? 0) + 1);
    this.#tally.set(id, counts);
  }

  async #judgeAnswer(call: Call, answer: Answer): Promise<void> {
    const fault = this.#contract.fault(call.operation, answer);
    if (fault !== undefined) this.#found(await this.#shrunken(call, fault), fault);
    const { tenant } = call.caller;
    const strangers = tenant === "operator" ? [] : this.#pool.strangers(tenant, answer.text);
    if (strangers.length > 0) this.#found(call, `shows what is another tenant's: ${strangers}`);
    if (answer.status < 300 && !isRehearsal(call)) this.#pool.learn(tenant, answer.text);
  }

  /** What is refused, or was only to be rehearsed, leaves everything as it was. */
  async #judgeChange(call: Call, answer: Answer): Promise<void> {
    const changesNothing = answer.status >= 400 || isRehearsal(call);
    const before = this.#before;
    this.#before = undefined;
    if (!changesNothing || before === undefined) return;
    const after = await this.#snapshots.settled();
    this.#before = after;
    if (after !== before && (await this.#changesAgain(call, answer))) {
      this.#found(call, `${answer.status} changes something: ${difference(before, after)}`);
    }
  }

  /** What ran beside the call may have changed something; it does not do so twice. */
  async #changesAgain(call: Call, { status }: Answer): Promise<boolean> {
    const before = await this.#snapshots.settled();
    const again = await this.#send(call);
    const after = await this.#snapshots.settled();
    this.#before = after;
    return again.status === status && after !== before;
  }

  /** @returns the smallest call that is answered with the same fault */
  async #shrunken(call: Call, fault: string): Promise<Call> {
    this.#before = undefined;
    let smallest = call;
    let tries = 0;
    for (let next: Call | undefined = call; next !== undefined; ) {
      smallest = next;
      next = undefined;
      for (const candidate of smaller(smallest)) {
        if (++tries > MOST_SHRINKS) return smallest;
        const found = this.#contract.fault(call.operation, await this.#send(candidate));
        if (found === undefined || kindOf(found) !== kindOf(fault)) continue;
        next = candidate;
        break;
      }
    }
    return smallest;
  }

  #found(call: Call, fault: string): void {
    const key = `${call.operation.id} ${kindOf(fault)}`;
    if (this.#findings.has(key)) return;
    const { seed } = this.#options;
    const curl = curlLine(requestOf(call)).slice(0, 2000);
    const found = { seed, number: this.#number, caller: call.caller.name, fault, curl };
    this.#findings.set(key, found);
  }
}

const makesSomething = ({ method, path, answers }: Operation) =>
  method === "POST" && !path.includes("{") && answers.has(201);

const isRehearsal = ({ query }: Call) =>
  query.some(([name, value]) => name === "dryRun" && value === "true");

const kindOf = (fault: string) => fault.slice(0, 60);

/** Where two texts begin to differ. */
function difference(before: string, after: string): string {
  let at = 0;
  while (before[at] === after[at]) at += 1;
  const around = (text: string) => text.slice(Math.max(0, at - 120), at + 120);
  return `\n  before: …${around(before)}…\n  after:  …${around(after)}…`;
}

export const reportOf = (findings: readonly Finding[]) =>
  findings.map(
    ({ seed, number, caller, fault, curl }) =>
      `FUZZ_SEED=${seed}, call ${number}, as ${caller}: ${fault}\n  ${curl}`,
  );
