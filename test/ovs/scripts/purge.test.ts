import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";

const SCRIPT = fileURLToPath(new URL("../../../ovs/purge.sh", import.meta.url));

describe("ovs/purge.sh", () => {
  const [mine, exchange, theirs, nobodys] = ["pbb", "pbx", "pbo", "pbn"].map(uniqueName);
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox();
    for (const [bridge, installation] of [
      [mine, "me-1"],
      [exchange, "me-1"],
      [theirs, "me-12"],
      [nobodys, undefined],
    ]) {
      await sandbox.addBridge(`${bridge}`);
      if (installation === undefined) continue;
      const mark = `external_ids:patchbay-installation=${installation}`;
      await sandbox.vsctl("set", "Bridge", `${bridge}`, mark);
    }
    await sandbox.vsctl(
      "add-port",
      `${mine}`,
      "pbp0",
      "--",
      "set",
      "Interface",
      "pbp0",
      "type=internal",
    );
    for (const installation of ["me-1", "me-12"]) {
      const key = `external_ids:patchbay-holder-${installation}`;
      await sandbox.vsctl("--no-wait", "set", "Open_vSwitch", ".", `${key}=someone`);
    }
    await writeFile(join(sandbox.dir, "installation-id"), "me-1\n");
  });
  afterAll(() => sandbox.stop());

  const purge = (...args: string[]) =>
    execa(SCRIPT, args, { env: sandbox.env, reject: false, stdin: "ignore" });
  const bridges = async () => (await sandbox.vsctl("list-br")).split("\n").sort();
  const all = [mine, exchange, theirs, nobodys].sort();

  it("lists what it would remove, and removes nothing where nobody can be asked", async () => {
    const result = await purge(sandbox.dir);
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain(`bridge ${mine}, ports: pbp0`);
    expect(result.stdout).not.toContain(`${theirs}`);
    expect(await bridges()).toEqual(all);
  });

  it("removes this installation's bridges and ports, and nothing else", async () => {
    expect((await purge("--yes", sandbox.dir)).exitCode).toBe(0);
    expect(await bridges()).toEqual([theirs, nobodys].sort());
    expect(await sandbox.vsctl("--bare", "--columns=name", "find", "Port", "name=pbp0")).toBe("");
    const holders = await sandbox.vsctl("get", "Open_vSwitch", ".", "external_ids");
    expect(holders).toContain("patchbay-holder-me-12=someone");
    expect(holders).not.toContain("patchbay-holder-me-1=");
  });

  it("knows a bridge by its port, and its interface, when another tool has cleared its mark", async () => {
    const mark = (installation: string) => `external_ids:patchbay-installation=${installation}`;
    for (const [table, bridge] of [
      ["Port", mine],
      ["Interface", exchange],
    ]) {
      await sandbox.addBridge(`${bridge}`);
      await sandbox.vsctl("set", `${table}`, `${bridge}`, mark("me-1"));
    }
    await sandbox.vsctl("set", "Port", `${theirs}`, mark("me-1"));
    expect((await purge("--yes", "--installation", "me-1")).exitCode).toBe(0);
    expect(await bridges()).toEqual([theirs, nobodys].sort());
  });

  it("says so when there is nothing", async () => {
    const result = await purge("--yes", "--installation", "me-1");
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stdout).toContain("Nothing");
  });

  it.each([
    [["--yes"]],
    [["--yes", "--installation", "x;y"]],
    [["--yes", "/nowhere"]],
    [["--wat"]],
  ])("refuses %j", async (args) => {
    expect((await purge(...args)).exitCode).not.toBe(0);
    expect(await bridges()).toEqual([theirs, nobodys].sort());
  });
});
