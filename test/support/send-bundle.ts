import { stageBundle } from "../../src/backends/ovs/bundle.js";

/** Stages a bundle and commits it: with the errors of both. */
export async function sendBundle(...bundle: Parameters<typeof stageBundle>): Promise<void> {
  const staged = await stageBundle(...bundle);
  await staged.commit();
}
