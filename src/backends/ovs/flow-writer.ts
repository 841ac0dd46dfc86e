import { join } from "node:path";
import { stepsFor } from "../../openflow/bundle-step.js";
import type { FlowDelta } from "../../openflow/delta.js";
import { NotEncodable } from "../../openflow/wire/not-encodable.js";
import { type StageBundle, type StagedChange, stageBundle } from "./bundle.js";
import type { FenceCheck } from "./fence/fence.js";
import type { Ofctl } from "./ofctl.js";

export interface FlowWriterOptions {
  /** Where the bridges' management sockets are. */
  readonly rundir: string;
  readonly ofctl: Ofctl;
  readonly fence: FenceCheck;
  readonly log: { info(details: object, message: string): void };
  /** For tests. */
  readonly stageBundle?: StageBundle | undefined;
}

/** Changes the flow tables of bridges, each change in one bundle. */
export class FlowWriter {
  readonly #options: FlowWriterOptions;

  constructor(options: FlowWriterOptions) {
    this.#options = options;
  }

  /**
   * Prepares to carry out the whole delta or nothing of it, without a moment in between. What only
   * ovs-ofctl knows how to say is left to it: others write flows that we never would, and those have
   * to go.
   * @throws BundleError, SwitchNotHeld
   */
  async stage(bridge: string, delta: FlowDelta): Promise<StagedChange> {
    const { fence } = this.#options;
    fence.check();
    const staged = await this.#stage(bridge, delta);
    // By then the switch may have become another daemon's.
    const commit = async () => {
      fence.check();
      await staged.commit();
    };
    return { commit, discard: () => staged.discard() };
  }

  async #stage(bridge: string, delta: FlowDelta): Promise<StagedChange> {
    const { rundir, ofctl, log, stageBundle: stage = stageBundle } = this.#options;
    const steps = stepsFor(delta);
    try {
      return await stage(join(rundir, `${bridge}.mgmt`), steps);
    } catch (error) {
      if (!(error instanceof NotEncodable)) throw error;
      log.info({ bridge, why: error.message }, "a bundle is left to ovs-ofctl");
      return { commit: () => ofctl.carryOut(bridge, steps), discard: () => undefined };
    }
  }
}
