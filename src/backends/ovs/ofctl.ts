import { join } from "node:path";
import type { FlowDelta } from "../../openflow/delta.js";
import type { Flow } from "../../openflow/flow.js";
import { formatDelete, formatFlowMod, parseFlow } from "../../openflow/text.js";
import type { Exec } from "./exec.js";

const PROGRAM = "ovs-ofctl";

/** Without `--no-names` every call first fetches more than a megabyte of table descriptions. */
const COMMON = ["-O", "OpenFlow14", "--no-names", "--timeout=10"];

/** Reads and writes the flow tables of bridges by ovs-ofctl(8). Errors: CommandError. */
export class Ofctl {
  readonly #exec: Exec;
  readonly #rundir: string;

  /** @param rundir where the bridges' management sockets are */
  constructor(exec: Exec, rundir: string) {
    this.#exec = exec;
    this.#rundir = rundir;
  }

  /** @throws SyntaxError when a line cannot be read: no flow may pass for absent */
  async readFlows(bridge: string): Promise<Flow[]> {
    const args = [...COMMON, "--no-stats", "dump-flows", this.#target(bridge)];
    const text = await this.#exec(PROGRAM, args);
    return text.split("\n").flatMap((line) => parseFlow(line) ?? []);
  }

  /**
   * Carries out the whole delta or nothing of it, without a moment in between. The program is
   * started while the delta is still being decided, which is worth a quarter of its run.
   */
  async carryOut(bridge: string, delta: FlowDelta | Promise<FlowDelta>): Promise<void> {
    const args = [...COMMON, "--bundle", "add-flows", this.#target(bridge), "-"];
    const lines = Promise.resolve(delta).then(bundleLines);
    await this.#exec(
      PROGRAM,
      args,
      lines.then((each) => each.map((line) => `${line}\n`).join("")),
    );
  }

  #target(bridge: string): string {
    return `unix:${join(this.#rundir, `${bridge}.mgmt`)}`;
  }
}

/** Removals first. An `add` replaces the flow that has its identity. */
export function bundleLines({ unexpected, changed, missing }: FlowDelta): string[] {
  return [
    ...unexpected.map(formatDelete),
    ...changed.map(({ to }) => formatFlowMod(to)),
    ...missing.map(formatFlowMod),
  ];
}
