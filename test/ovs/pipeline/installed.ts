import type { Flow } from "../../../src/openflow/flow.js";
import { formatFlowMod, parseFlow } from "../../../src/openflow/text.js";
import type { Sandbox } from "../../support/sandbox.js";

/** Runs lines of flow modifications in one bundle. */
export async function runBundle(
  sandbox: Sandbox,
  bridge: string,
  lines: readonly string[],
): Promise<void> {
  const options = ["-O", "OpenFlow14", "--no-names", "--bundle"];
  await sandbox.run("ovs-ofctl", [...options, "add-flows", bridge, "-"], lines.join("\n"));
}

export async function installFlows(
  sandbox: Sandbox,
  bridge: string,
  flows: readonly Flow[],
): Promise<void> {
  await runBundle(sandbox, bridge, flows.map(formatFlowMod));
}

/** The flows on the bridge, with or without statistics in the text that is read. */
export async function installedFlows(
  sandbox: Sandbox,
  bridge: string,
  options: readonly string[] = ["--no-stats"],
): Promise<Flow[]> {
  const dump = await sandbox.ofctl(...options, "dump-flows", bridge);
  return dump.split("\n").flatMap((line) => parseFlow(line) ?? []);
}
