import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { patient } from "../../support/patience.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";

const SCRIPT = fileURLToPath(new URL("../../../ovs/sandbox.sh", import.meta.url));
const VARIABLE = "PATCHBAY_SANDBOX_DATAPATH";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) {
    await execa(SCRIPT, ["stop", folder]);
    await rm(folder, { recursive: true });
  }
});

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pbs-"));
  folders.push(folder);
  return folder;
}

const start = (dir: string, env: Record<string, string>) =>
  execa(SCRIPT, ["start", dir], { env, reject: false, timeout: patient(30_000) });

/** A folder with a program that finds no kernel datapath, where this kernel has one. */
async function withoutKernelDatapath(): Promise<Record<string, string>> {
  const { exitCode } = await execa("ovs-dpctl", ["dump-dps"], { reject: false });
  if (exitCode !== 0) return {};
  const folder = await emptyFolder();
  const said = "2026-01-01T00:00:00Z|00002|dpif|WARN|failed to enumerate system datapaths: No such";
  const script = `#!/bin/sh\necho '${said}' >&2\nexit 1\n`;
  await writeFile(join(folder, "ovs-dpctl"), script, { mode: 0o755 });
  return { PATH: `${folder}:${process.env["PATH"]}` };
}

describe("a private Open vSwitch is not started", () => {
  it("with a datapath that nobody knows", async () => {
    const dir = await emptyFolder();
    const refused = await start(dir, { [VARIABLE]: "kernel" });
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain(`${VARIABLE}='kernel' is no datapath: netdev`);
    expect(await readdir(dir)).toEqual([]);
  });

  it("with the kernel's datapath where the kernel has none, and nothing else runs then", async () => {
    const dir = await emptyFolder();
    const refused = await start(dir, { ...(await withoutKernelDatapath()), [VARIABLE]: "system" });
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /^sandbox.sh: the kernel has no openvswitch datapath: failed to enumerate system datapaths: No such/,
    );
    expect(await readdir(dir)).toEqual([".lock"]);
  });
});

describe("a folder", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox();
  });
  afterAll(() => sandbox.stop());

  it("keeps the datapath that it was made with", async () => {
    const pid = await sandbox.vswitchdPid();
    const other = sandbox.datapath === "netdev" ? "system" : "netdev";
    const refused = await start(sandbox.dir, { [VARIABLE]: other });
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain(`made with ${VARIABLE}=${sandbox.datapath} and cannot become`);
    expect(await sandbox.vswitchdPid()).toBe(pid);
    const again = await start(sandbox.dir, { [VARIABLE]: "" });
    expect(again.stdout).toContain(`PATCHBAY_DATAPATH=${sandbox.datapath}`);
    expect(await sandbox.vswitchdPid()).toBe(pid);
  });
});
