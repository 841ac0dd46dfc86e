import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Daemon, startDaemon } from "../../support/daemon.js";
import { patient } from "../../support/patience.js";
import { type PostgresServer, startPostgres } from "../../support/postgres.js";
import { RestClient, type Vpc, waitFor } from "../../support/rest.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { bridgesWith } from "./switch-state.js";

const MAIN = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));

let sandbox: Sandbox;
let server: PostgresServer;
/** Begun while the other one was served, and stays. */
let neighbour: Daemon;
let lost: { readonly id: string; readonly bridges: readonly string[] };

beforeAll(async () => {
  [sandbox, server] = await Promise.all([startSandbox(), startPostgres()]);
  const daemon = await begin();
  await makeVpc(daemon);
  const id = await idOf(daemon);
  await waitFor(async () => (await bridgesOf(id)).length === 2, 20_000, "its bridges");
  lost = { id, bridges: await bridgesOf(id) };
  neighbour = await begin();
  await daemon.dispose();
});

afterAll(async () => {
  await neighbour?.dispose();
  await Promise.all([sandbox?.stop(), server?.stop()]);
});

/** A daemon with an empty data directory and an empty database. */
async function begin(...args: string[]): Promise<Daemon> {
  return startDaemon({ sandbox, args, env: { DATABASE_URL: await server.createDatabase() } });
}

async function makeVpc({ url, operatorToken }: Daemon): Promise<Vpc> {
  const tenant = await new RestClient(url, operatorToken).createTenant("tenant");
  return tenant.vpc("10.0.0.0/16");
}

async function idOf({ dataDir }: Daemon): Promise<string> {
  return (await readFile(join(dataDir, "installation-id"), "utf8")).trim();
}

function bridgesOf(id: string): Promise<string[]> {
  return bridgesWith(sandbox, { "patchbay-installation": id });
}

/** What a transaction of anybody would change. */
function configuration(): Promise<string> {
  const tables = ["Open_vSwitch", "Bridge", "Port"].map((table) => ["list", table]);
  return Promise.all(tables.map((args) => sandbox.vsctl("--format=json", ...args))).then(String);
}

it("one that begins beside a daemon at work needs no word for it", async () => {
  expect(await idOf(neighbour)).not.toBe(lost.id);
});

describe("a switch that forwards for an installation whose data is lost", () => {
  it.each([
    ["a new installation", {}],
    ["one that begins without asking the switch", { PATCHBAY_BACKEND: "auto" }],
  ])("refuses %s, which writes nothing and says what to do", async (_, settings) => {
    const dataDir = await mkdtemp(join(tmpdir(), "pbd-"));
    const before = await configuration();
    const env = {
      DATABASE_URL: await server.createDatabase(),
      ...{ PATCHBAY_DATA_DIR: dataDir, PATCHBAY_LISTEN: "127.0.0.1:0", PATCHBAY_BACKEND: "ovs" },
      ...sandbox.env,
      ...settings,
    };
    const result = await execa(process.execPath, [MAIN], {
      env,
      reject: false,
      timeout: patient(60_000),
    });
    expect(result.exitCode).toBe(78);
    const ways = [`ovs/purge.sh --installation ${lost.id}`, "--adopt", "--beside", "backup"];
    for (const text of [...lost.bridges, ...ways]) expect(result.stderr).toContain(text);
    expect(await readdir(dataDir)).toEqual([]);
    expect(await configuration()).toBe(before);
    await rm(dataDir, { recursive: true });
  });

  it("is left alone by one that begins beside it, which then starts as it is", async () => {
    const daemon = await begin("--beside");
    const id = await idOf(daemon);
    expect(id).not.toBe(lost.id);
    await daemon.restart();
    expect(await bridgesOf(lost.id)).toEqual(lost.bridges);
    await daemon.dispose();
    for (const bridge of await bridgesOf(id)) await sandbox.vsctl("del-br", bridge);
  });

  it("is taken over by one that adopts it, and cleared of what that does not know", async () => {
    const daemon = await begin("--adopt");
    expect(await idOf(daemon)).toBe(lost.id);
    expect(daemon.log()).toContain("is REMOVED from the switch");
    await expect.poll(() => bridgesOf(lost.id), { timeout: patient(20_000) }).toHaveLength(1);
    const vpc = await makeVpc(daemon);
    expect(lost.bridges).toContain(vpc.bridge);
    await expect.poll(() => bridgesOf(lost.id), { timeout: patient(20_000) }).toEqual(lost.bridges);
    await daemon.dispose();
  });
});
