import { afterEach } from "vitest";
import { flowsOf } from "./switch-state.js";
import type { World } from "./world.js";

const LOG_CHARACTERS = 6000;

/** Prints the daemon's log and the switch's state when a test of this file fails. */
export function explainFailures(current: () => World | undefined): void {
  afterEach(async ({ task }) => {
    const world = current();
    if (task.result?.state !== "fail" || world === undefined) return;
    console.error(world.daemon.log().slice(-LOG_CHARACTERS));
    // The switch may be what has failed: that is worth knowing, and no second failure.
    console.error(await switchState(world).catch(String));
  });
}

async function switchState({ sandbox }: World): Promise<string> {
  const bridges = (await sandbox.vsctl("list-br")).split("\n");
  const flows = bridges.map(async (bridge) => [bridge, ...(await flowsOf(sandbox, bridge))]);
  const parts = [sandbox.vsctl("show"), sandbox.appctl("dpif/show"), ...flows];
  return (await Promise.all(parts)).flat().join("\n");
}
