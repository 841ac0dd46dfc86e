import { join } from "node:path";
import { type BundleStep, formatStep } from "../../openflow/bundle-step.js";
import type { Match } from "../../openflow/flow.js";
import { formatMatch } from "../../openflow/match.js";
import { type CountedFlow, countsNothing, parseCountedFlow } from "../../openflow/statistics.js";
import type { Exec } from "./exec.js";
import type { FenceCheck } from "./fence/fence.js";

const PROGRAM = "ovs-ofctl";

/** Without `--no-names` every call first fetches more than a megabyte of table descriptions. */
const PROTOCOL = ["-O", "OpenFlow14", "--no-names"];
const COMMON = [...PROTOCOL, "--timeout=10"];

/** Counters are asked for by somebody who waits, and nothing depends on them. */
const COUNTERS = [...PROTOCOL, "--timeout=3"];

/** Reads and writes the flow tables of bridges by ovs-ofctl(8). Errors: CommandError. */
export class Ofctl {
  readonly #exec: Exec;
  readonly #rundir: string;
  readonly #fence: FenceCheck;

  /** @param rundir where the bridges' management sockets are */
  constructor(exec: Exec, rundir: string, fence: FenceCheck) {
    this.#exec = exec;
    this.#rundir = rundir;
    this.#fence = fence;
  }

  /** All flows of a bridge as the switch prints them, without counters. */
  async dumpFlows(bridge: string): Promise<string> {
    return this.#exec(PROGRAM, [...COMMON, "--no-stats", "dump-flows", this.#target(bridge)]);
  }

  /**
   * The flows of one table with their counters, as far as they match at least what is given.
   * @param options with `nonZero`, only those that have matched something
   * @throws SyntaxError when a line cannot be read
   */
  async readCounters(
    bridge: string,
    table: number,
    options: { readonly match?: Match; readonly nonZero?: boolean } = {},
  ): Promise<CountedFlow[]> {
    const { match = {}, nonZero = false } = options;
    const filter = [`table=${table}`, formatMatch(match)].filter(Boolean).join(",");
    const args = [...COUNTERS, "dump-flows", this.#target(bridge), filter];
    const lines = (await this.#exec(PROGRAM, args)).split("\n");
    return lines.flatMap((line) => {
      return nonZero && countsNothing(line) ? [] : (parseCountedFlow(line) ?? []);
    });
  }

  /** Carries out all steps or none of them, without a moment in between. */
  async carryOut(bridge: string, steps: readonly BundleStep[]): Promise<void> {
    const args = [...COMMON, "--bundle", "add-flows", this.#target(bridge), "-"];
    this.#fence.check();
    await this.#exec(PROGRAM, args, steps.map((step) => `${formatStep(step)}\n`).join(""));
  }

  /** Lets a port receive and send again, whatever it was told. */
  async freePort(bridge: string, port: number): Promise<void> {
    for (const setting of ["receive", "forward"]) {
      this.#fence.check();
      await this.#exec(PROGRAM, [...COMMON, "mod-port", this.#target(bridge), `${port}`, setting]);
    }
  }

  #target(bridge: string): string {
    return `unix:${join(this.#rundir, `${bridge}.mgmt`)}`;
  }
}
