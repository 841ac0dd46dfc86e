import { join } from "node:path";
import type { Flow } from "../../../src/openflow/flow.js";
import { parseFlow } from "../../../src/openflow/text.js";
import type { Sandbox } from "../../support/sandbox.js";
import { sendBundle } from "../../support/send-bundle.js";

/** Runs lines of flow modifications in one bundle of ovs-ofctl. */
export async function runBundle(
  sandbox: Sandbox,
  bridge: string,
  lines: readonly string[],
): Promise<void> {
  const options = ["-O", "OpenFlow14", "--no-names", "--bundle"];
  await sandbox.run("ovs-ofctl", [...options, "add-flows", bridge, "-"], lines.join("\n"));
}

/** Installs flows as the daemon does. */
export async function installFlows(
  sandbox: Sandbox,
  bridge: string,
  flows: readonly Flow[],
): Promise<void> {
  const steps = flows.map((flow) => ({ kind: "add", flow }) as const);
  await sendBundle(join(sandbox.rundir, `${bridge}.mgmt`), steps);
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
