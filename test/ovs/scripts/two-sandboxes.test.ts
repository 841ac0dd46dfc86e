import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, describe, expect, it } from "vitest";
import { chosenDatapath, TRAITS } from "../../support/datapath.js";
import { hostPool } from "../../support/netns.js";
import { patient } from "../../support/patience.js";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";

const SCRIPT = fileURLToPath(new URL("../../../ovs/sandbox.sh", import.meta.url));

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function started(): Promise<Sandbox> {
  const sandbox = await startSandbox();
  undo.push(() => sandbox.stop());
  return sandbox;
}

/** Two hosts on a new bridge of a switch; `undo` takes them away before the switch. */
async function forwards(sandbox: Sandbox): Promise<() => Promise<boolean>> {
  const pool = hostPool(sandbox);
  undo.push(() => pool.destroyAll());
  const bridge = uniqueName("pbb");
  await sandbox.addBridge(bridge);
  await sandbox.ofctl("add-flow", bridge, "actions=NORMAL");
  const a = await pool.create({ bridge, address: "10.9.0.1/24" });
  await pool.create({ bridge, address: "10.9.0.2/24" });
  return () => a.ping("10.9.0.2");
}

const run = (command: string, ...args: string[]) =>
  execa(command, args, { reject: false, timeout: patient(30_000) });

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "pbs-"));
  undo.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const withOneDatapathEach = () => {
  it("both forward, though Open vSwitch gives their datapath one name", async () => {
    const sandboxes = await Promise.all([started(), started()]);
    for (const sandbox of sandboxes) {
      const ping = await forwards(sandbox);
      expect(await ping()).toBe(true);
    }
  });
};

const withOneDatapathForAll = () => {
  it("are one too many: the second is refused, and the first forwards on", async () => {
    const first = await started();
    const ping = await forwards(first);
    const dir = await folder();
    const refused = await run(SCRIPT, "start", dir);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain(`another ovs-vswitchd (process ${await first.vswitchdPid()})`);
    expect(await ping()).toBe(true);
    await first.killVswitchd();
    const also = await run(SCRIPT, "start", dir);
    expect(also).toMatchObject({ exitCode: 1, stdout: "" });
    expect(also.stderr).toMatch(/is there \(system@ovs-system\) and not of .*ip netns exec/);
    expect(await ping()).toBe(true);
    await first.startAgain();
    await first.ofctl("add-flow", await first.vsctl("list-br"), "actions=NORMAL");
    expect(await ping()).toBe(true);
  });

  it("both forward when each has a network namespace", async () => {
    const ping = await forwards(await started());
    const namespace = uniqueName("pbt");
    await execa("ip", ["netns", "add", namespace]);
    undo.push(() => execa("ip", ["netns", "del", namespace]));
    const inside = ["netns", "exec", namespace];
    const dir = await folder();
    const { stdout } = await execa("ip", [...inside, SCRIPT, "start", dir]);
    undo.push(() => execa("ip", [...inside, SCRIPT, "stop", dir]));
    expect(stdout).toContain("PATCHBAY_DATAPATH=system");
    expect(await pingsAcross(dir, namespace)).toContain("1 received");
    expect(await ping()).toBe(true);
  });

  it("leave no datapath behind when they are stopped, killed before or not", async () => {
    for (const signal of [undefined, "SIGKILL"] as const) {
      const sandbox = await startSandbox();
      await sandbox.addBridge(uniqueName("pbb"));
      if (signal !== undefined) await sandbox.killVswitchd(signal);
      expect((await run("ovs-dpctl", "dump-dps")).stdout).toBe("system@ovs-system");
      await sandbox.stop();
      expect(await run("ovs-dpctl", "dump-dps")).toMatchObject({ exitCode: 0, stdout: "" });
    }
  });
};

/** A ping over a bridge, from one internal port in a namespace of its own to another. */
async function pingsAcross(dir: string, home: string): Promise<string> {
  const vsctl = (...args: string[]) =>
    execa("ovs-vsctl", [`--db=unix:${dir}/db.sock`, "--timeout=10", ...args]);
  const bridge = uniqueName("pbb");
  await vsctl("add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=system");
  const ends = ["10.9.0.1/24", "10.9.0.2/24"].map((address) => ({
    address,
    port: uniqueName("pbi"),
    namespace: uniqueName("pbt"),
  }));
  for (const { address, port, namespace } of ends) {
    await execa("ip", ["netns", "add", namespace]);
    undo.push(() => execa("ip", ["netns", "del", namespace]));
    await vsctl("add-port", bridge, port, "--", "set", "Interface", port, "type=internal");
    await execa("ip", ["-n", home, "link", "set", port, "netns", namespace]);
    await execa("ip", ["-n", namespace, "addr", "add", address, "dev", port]);
    await execa("ip", ["-n", namespace, "link", "set", port, "up"]);
  }
  const ping = ["netns", "exec", ends[0]?.namespace ?? "", "ping", "-n", "-c", "1", "-W", "5"];
  return (await execa("ip", [...ping, "10.9.0.2"])).stdout;
}

describe("two private switches at once", () => {
  if (TRAITS[chosenDatapath()].isOneInNamespace) withOneDatapathForAll();
  else withOneDatapathEach();
});
