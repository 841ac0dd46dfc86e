import type { Sandbox } from "../../support/sandbox.js";

/** @returns the names of the bridges that carry all of these external ids */
export async function bridgesWith(
  sandbox: Sandbox,
  ids: Readonly<Record<string, string>>,
): Promise<string[]> {
  const conditions = Object.entries(ids).map(([key, value]) => `external_ids:${key}=${value}`);
  const find = ["--bare", "--columns=name", "find", "Bridge", ...conditions];
  return linesOf(await sandbox.vsctl(...find)).sort();
}

/** @returns the exchange of the only installation, or of one of several */
export async function exchangeOf(sandbox: Sandbox, installationId?: string): Promise<string> {
  const [exchange] = await bridgesWith(sandbox, {
    "patchbay-role": "exchange",
    ...(installationId !== undefined && { "patchbay-installation": installationId }),
  });
  if (exchange === undefined) throw new Error("there is no exchange");
  return exchange;
}

/** @returns the port of a VPC's bridge that leads to the exchange */
export async function uplinkOf(sandbox: Sandbox, bridge: string): Promise<string> {
  const patches = linesOf(
    await sandbox.vsctl("--bare", "--columns=name", "find", "Interface", "type=patch"),
  );
  const ports = linesOf(await sandbox.vsctl("list-ports", bridge));
  const uplink = ports.find((port) => patches.includes(port));
  if (uplink === undefined) throw new Error(`${bridge} has no uplink`);
  return uplink;
}

/** @returns a bridge's flows without their counters, in a fixed order */
export async function flowsOf(sandbox: Sandbox, bridge: string): Promise<string[]> {
  return linesOf(await sandbox.ofctl("--no-stats", "dump-flows", bridge)).sort();
}

/** The MAC of a bridge's own port. */
export async function macOf(sandbox: Sandbox, bridge: string): Promise<string> {
  return (await sandbox.vsctl("get", "Interface", bridge, "mac_in_use")).replaceAll('"', "").trim();
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
