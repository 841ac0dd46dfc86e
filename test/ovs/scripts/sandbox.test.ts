import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type HostPool, hostPool } from "../../support/netns.js";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";

const SCRIPT = fileURLToPath(new URL("../../../ovs/sandbox.sh", import.meta.url));

/** Comparable state of the two daemons. */
async function pids(dir: string): Promise<{ database: string; switch: string }> {
  const read = async (name: string) => (await readFile(join(dir, name), "utf8")).trim();
  return {
    database: await read("ovsdb-server.pid"),
    switch: await read("ovs-vswitchd.pid"),
  };
}

/** @returns the processes whose command line names the folder, without zombies. */
async function processesOf(dir: string): Promise<string[]> {
  const { stdout } = await execa("ps", ["-eo", "stat=,args="]);
  return stdout.split("\n").filter((line) => line.includes(`--pidfile=${dir}/`));
}

describe("a private Open vSwitch", () => {
  let sandbox: Sandbox;
  let pool: HostPool;
  const bridge = uniqueName("pbb");

  beforeAll(async () => {
    sandbox = await startSandbox();
    pool = hostPool(sandbox);
    await sandbox.addBridge(bridge);
  });
  afterEach(() => pool.destroyAll());
  afterAll(() => sandbox.stop());

  async function expectForwarding(): Promise<void> {
    const a = await pool.create({ bridge, address: "10.9.0.1/24" });
    const b = await pool.create({ bridge, address: "10.9.0.2/24" });
    await sandbox.ofctl("add-flow", bridge, "actions=NORMAL");
    expect(await a.ping(b.ip)).toBe(true);
    await sandbox.ofctl("del-flows", bridge);
    // Cached datapath flows outlive the tables' until the next revalidation.
    await sandbox.appctl("revalidator/purge");
    expect(await a.countPings(b.ip, 3)).toBe(0);
  }

  it("forwards packets between namespaces, and only as its flows say", async () => {
    await expectForwarding();
  });

  it("prints its three settings and nothing else, and lets go of its output", async () => {
    // A daemon that kept the pipe open would hold this call until its time limit.
    const { stdout } = await execa(SCRIPT, ["start", sandbox.dir], {
      timeout: 10_000,
    });
    expect(stdout.split("\n")).toEqual([
      `PATCHBAY_OVSDB=unix:${sandbox.dir}/db.sock`,
      `PATCHBAY_OVS_RUNDIR=${sandbox.dir}`,
      `PATCHBAY_DATAPATH=${sandbox.datapath}`,
    ]);
  });

  it("leaves running daemons alone", async () => {
    const before = await pids(sandbox.dir);
    await sandbox.startAgain();
    expect(await pids(sandbox.dir)).toEqual(before);
  });

  it("starts one database and one switch when started twice at once", async () => {
    await sandbox.killOvsdb();
    await sandbox.killVswitchd();
    await Promise.all([sandbox.startAgain(), sandbox.startAgain()]);
    expect(await processesOf(sandbox.dir)).toHaveLength(2);
  });

  it("brings a killed ovs-vswitchd back, with its bridges", async () => {
    const before = await pids(sandbox.dir);
    await sandbox.killVswitchd("SIGKILL");
    await sandbox.startAgain();
    const after = await pids(sandbox.dir);
    expect(after.database).toBe(before.database);
    expect(after.switch).not.toBe(before.switch);
    await expectForwarding();
  });

  it("brings a killed ovsdb-server back, and the switch stays", async () => {
    const before = await pids(sandbox.dir);
    await sandbox.killOvsdb("SIGKILL");
    await sandbox.startAgain();
    const after = await pids(sandbox.dir);
    expect(after.database).not.toBe(before.database);
    expect(after.switch).toBe(before.switch);
    expect(await sandbox.vsctl("list-br")).toBe(bridge);
    await expectForwarding();
  });

  it("does not take another program's process for its own", async () => {
    await sandbox.killVswitchd("SIGKILL");
    await writeFile(join(sandbox.dir, "ovs-vswitchd.pid"), `${process.pid}\n`);
    await sandbox.startAgain();
    expect(await sandbox.vswitchdPid()).not.toBe(process.pid);
    expect(await sandbox.appctl("version")).toContain("ovs-vswitchd");
  });

  it("keeps none of the caller's descriptors open", async () => {
    await sandbox.killVswitchd("SIGKILL");
    const script = `exec 7<>"$0/probe"; "${SCRIPT}" start "$0"`;
    await writeFile(join(sandbox.dir, "probe"), "");
    await execa("bash", ["-c", script, sandbox.dir]);
    const open = await execa("ls", ["-l", `/proc/${await sandbox.vswitchdPid()}/fd`]);
    expect(open.stdout).toContain("/dev/null");
    expect(open.stdout).not.toContain("probe");
    expect(open.stdout).not.toContain(".lock");
  });
});

describe("stop", () => {
  const begun: { parent: string; dir: string }[] = [];
  // One at a time: the kernel's datapath has room for no second one.
  afterEach(async () => {
    for (const { parent, dir } of begun.splice(0)) {
      await execa(SCRIPT, ["stop", dir]);
      await rm(parent, { recursive: true, force: true });
    }
  });

  async function started(name = "ovs") {
    const parent = await mkdtemp(join(tmpdir(), "pbs-"));
    const dir = join(parent, name);
    begun.push({ parent, dir });
    const command = `eval "$("$1" start "$0")"; echo "$PATCHBAY_OVSDB"; echo "$PATCHBAY_DATAPATH"`;
    const { stdout } = await execa("bash", ["-c", command, dir, SCRIPT]);
    const [ovsdb, datapath] = stdout.split("\n");
    return { dir, ovsdb, datapath };
  }

  it.each([
    { ended: "by request", signal: [] },
    { ended: "by kill -9 before", signal: ["ovs-vswitchd"] },
    {
      ended: "by kill -9 of both before",
      signal: ["ovs-vswitchd", "ovsdb-server"],
    },
  ])("leaves no process and no device, ended $ended", async ({ signal }) => {
    const { dir, ovsdb, datapath } = await started();
    const bridge = uniqueName("pbb");
    const kind = ["--", "set", "Bridge", bridge, `datapath_type=${datapath}`];
    await execa("ovs-vsctl", [`--db=${ovsdb}`, "--timeout=10", "add-br", bridge, ...kind]);
    await access(`/sys/class/net/${bridge}`);
    for (const name of signal) {
      process.kill(Number(await readFile(join(dir, `${name}.pid`), "utf8")), "SIGKILL");
    }
    await execa(SCRIPT, ["stop", dir]);
    await execa(SCRIPT, ["stop", dir]);
    expect(await processesOf(dir)).toEqual([]);
    await expect(access(`/sys/class/net/${bridge}`)).rejects.toThrow("ENOENT");
  });

  it.each([
    { what: "spaces and quotes", name: "a b'c\"d" },
    {
      what: "more characters than a socket's path may have",
      name: "long".repeat(40),
    },
  ])("and start work in a path with $what", async ({ name }) => {
    const { ovsdb } = await started(name);
    expect(ovsdb).toMatch(/^unix:[A-Za-z0-9/._-]{1,100}\/db\.sock$/);
    const bridges = await execa("ovs-vsctl", [`--db=${ovsdb}`, "--timeout=10", "list-br"]);
    expect(bridges.stdout).toBe("");
  });

  it("is silent where nothing was ever started", async () => {
    const result = await execa(SCRIPT, ["stop", join(tmpdir(), uniqueName("none"))]);
    expect(`${result.stdout}${result.stderr}`).toBe("");
  });
});
