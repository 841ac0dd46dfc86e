import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type PostgresServer, startPostgres } from "../../support/postgres.js";
import { DaemonNursery } from "./process.js";

// A process, and often a database, is started several times in one test.
vi.setConfig({ testTimeout: 90_000 });

const nursery = new DaemonNursery();
afterEach(() => nursery.clear());

type Json = ReturnType<JSON["parse"]>;

async function request(
  url: string,
  token: string,
  init: RequestInit = {},
): Promise<{ status: number; body: Json }> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const response = await fetch(url, { headers, ...init });
  return { status: response.status, body: await response.json() };
}

function post(url: string, token: string, body?: unknown) {
  return request(url, token, { method: "POST", body: JSON.stringify(body) ?? "" });
}

describe("starting", () => {
  test("makes a private data directory, with a token that works", async () => {
    const dataDir = join(await nursery.emptyDir(), "var");
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: dataDir });
    const url = await daemon.listening;
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    for (const file of ["operator-token", "secret-key"]) {
      expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600);
    }
    for (const folder of ["db", "db/base", "db/pg_wal"]) {
      expect((await stat(join(dataDir, folder))).mode & 0o777).toBe(0o700);
    }
    const token = await readFile(join(dataDir, "operator-token"), "utf8");
    const { body } = await request(`${url}/v1/whoami`, token.trim());
    expect(body).toMatchObject({ tenantId: null, roles: ["operator"] });
  });

  test("auto without a switch is no-op mode, which cannot be missed", async () => {
    const { path } = await nursery.dataDir();
    const daemon = nursery.spawn({
      PATCHBAY_DATA_DIR: path,
      PATCHBAY_BACKEND: "auto",
      PATCHBAY_OVS_RUNDIR: join(path, "nowhere"),
    });
    await daemon.listening;
    expect(daemon.stderr()).toContain("NO-OP MODE");
    expect(daemon.stderr().trim().split("\n").length).toBeGreaterThan(3);
    expect(daemon.stdout()).toContain('"level":40');
  });

  test("lists every configuration error at once and starts nothing", async () => {
    const dataDir = join(await nursery.emptyDir(), "untouched");
    const daemon = nursery.spawn({
      PATCHBAY_DATA_DIR: dataDir,
      PATCHBAY_LISTEN: "0.0.0.0:8080",
      PATCHBAY_BACKEND: "ovn",
      PATCHBAY_RESYNC_SECS: "5",
    });
    expect(await daemon.ended).toBe(78);
    for (const text of ["PATCHBAY_INSECURE_HTTP", "PATCHBAY_BACKEND", "PATCHBAY_RESYNC_SECONDS"]) {
      expect(daemon.stderr()).toContain(text);
    }
    await expect(stat(dataDir)).rejects.toThrow("ENOENT");
  });

  test("a second daemon on the same data directory is refused, and the first goes on", async () => {
    const { path } = await nursery.dataDir();
    const first = nursery.spawn({ PATCHBAY_DATA_DIR: path });
    const url = await first.listening;
    const second = nursery.spawn({ PATCHBAY_DATA_DIR: path });
    expect(await second.ended).toBe(1);
    expect(second.stderr()).toContain(path);
    expect(second.stderr()).toContain(String(first.pid));
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test("a port that is taken is named", async () => {
    const { path } = await nursery.dataDir();
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const address = holder.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const listen = `127.0.0.1:${port}`;
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: path, PATCHBAY_LISTEN: listen });
    expect(await daemon.ended).toBe(1);
    expect(daemon.stderr()).toContain(`cannot listen on ${listen}`);
    await new Promise((resolve) => holder.close(resolve));
  });

  test("a TLS file that cannot be read is named", async () => {
    const path = await nursery.emptyDir();
    const missing = join(path, "cert.pem");
    const daemon = nursery.spawn({
      PATCHBAY_DATA_DIR: path,
      PATCHBAY_TLS_CERT: missing,
      PATCHBAY_TLS_KEY: missing,
    });
    expect(await daemon.ended).toBe(1);
    expect(daemon.stderr()).toContain(missing);
  });

  test("a data directory that cannot be made is named", async () => {
    const file = join(await nursery.emptyDir(), "file");
    await writeFile(file, "");
    const dataDir = join(file, "var");
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: dataDir });
    expect(await daemon.ended).toBe(78);
    expect(daemon.stderr()).toContain(dataDir);
  });
});

describe("with PostgreSQL", () => {
  let server: PostgresServer;
  let databaseUrl: string;

  beforeAll(async () => {
    server = await startPostgres();
    databaseUrl = await server.createDatabase();
    await server.kill();
  });
  afterAll(() => server.stop());

  async function spawnTooEarly() {
    const path = await nursery.emptyDir();
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: path, DATABASE_URL: databaseUrl });
    const waits = () => daemon.stdout().includes("PostgreSQL does not answer yet");
    await expect.poll(waits, { timeout: 15_000, interval: 20 }).toBe(true);
    return daemon;
  }

  test("a start that waits for it can be given up", async () => {
    const daemon = await spawnTooEarly();
    daemon.signal("SIGTERM", "process");
    expect(await daemon.ended).toBe(0);
  });

  test("one that comes up later is waited for, and migrated", async () => {
    const daemon = await spawnTooEarly();
    await server.restart();
    const url = await daemon.listening;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(daemon.stdout()).not.toContain(databaseUrl);
  });
});

describe("stopping", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s to the process group ends it with 0, and it starts again at once",
    async (signal) => {
      const dir = await nursery.dataDir();
      const environment = { PATCHBAY_DATA_DIR: dir.path };
      const first = nursery.spawn(environment);
      const url = await first.listening;
      const token = await dir.operatorToken();
      const made = await post(`${url}/v1/tenants`, token, { name: "kept" });
      expect(made.status).toBe(201);
      const asked = performance.now();
      first.signal(signal, "group");
      expect(await first.ended).toBe(0);
      expect(performance.now() - asked).toBeLessThan(10_000);

      const again = await nursery.spawn(environment).listening;
      const { body } = await request(`${again}/v1/tenants`, token);
      expect(body.items).toMatchObject([{ id: made.body.id }]);
    },
  );

  test("when a key was used last outlives it", async () => {
    const dir = await nursery.dataDir();
    const environment = { PATCHBAY_DATA_DIR: dir.path };
    const first = nursery.spawn(environment);
    const url = await first.listening;
    const operator = await dir.operatorToken();
    const { body: tenant } = await post(`${url}/v1/tenants`, operator, { name: "user" });
    const keys = `/v1/tenants/${tenant.id}/access-keys`;
    const { body: key } = await post(`${url}${keys}`, operator, { roles: ["viewer"] });
    const before = new Date().toISOString();
    await request(`${url}/v1/whoami`, key.token);
    first.signal("SIGTERM", "process");
    expect(await first.ended).toBe(0);

    const again = await nursery.spawn(environment).listening;
    const { body } = await request(`${again}${keys}`, operator);
    expect(body.items).toMatchObject([{ id: key.id, lastUsedAt: expect.stringMatching(/Z$/) }]);
    expect(body.items[0].lastUsedAt >= before).toBe(true);
  });

  test("kill -9 loses nothing that was answered, and it starts again at once", async () => {
    const dir = await nursery.dataDir();
    const environment = { PATCHBAY_DATA_DIR: dir.path };
    let daemon = nursery.spawn(environment);
    let url = await daemon.listening;
    const token = await dir.operatorToken();
    const made: string[] = [];
    for (let life = 0; life < 3; life += 1) {
      for (const name of ["a", "b", "c"]) {
        const { body } = await post(`${url}/v1/tenants`, token, { name });
        made.push(body.id);
      }
      daemon.signal("SIGKILL", "group");
      expect(await daemon.ended).toBe("SIGKILL");
      daemon = nursery.spawn(environment);
      url = await daemon.listening;
    }
    const { body } = await request(`${url}/v1/tenants`, token);
    expect(body.items.map((tenant: { id: string }) => tenant.id)).toEqual(made);
  });

  test("a request that waits for the switch is answered early, and the daemon ends", async () => {
    const dir = await nursery.dataDir();
    // No switch is there, so the peering stays provisioning for as long as one waits.
    const daemon = nursery.spawn({
      PATCHBAY_DATA_DIR: dir.path,
      PATCHBAY_BACKEND: "ovs",
      PATCHBAY_OVS_RUNDIR: join(dir.path, "nowhere"),
    });
    const url = await daemon.listening;
    const operator = await dir.operatorToken();
    const { body: tenant } = await post(`${url}/v1/tenants`, operator, { name: "waits" });
    const keys = `${url}/v1/tenants/${tenant.id}/access-keys`;
    const { token } = (await post(keys, operator, { roles: ["admin"] })).body;
    const vpc = async (cidrBlock: string) =>
      (await post(`${url}/v1/vpcs`, token, { cidrBlock })).body.id;
    const requesterVpcId = await vpc("10.1.0.0/16");
    const accepterVpcId = await vpc("10.2.0.0/16");
    const ends = { requesterVpcId, accepterVpcId };
    const { body: peering } = await post(`${url}/v1/vpc-peerings`, token, ends);
    const path = `${url}/v1/vpc-peerings/${peering.id}`;
    const waiting = post(`${path}/accept?wait=30`, token);
    const state = async () => (await request(path, token)).body.state;
    await expect.poll(state, { timeout: 5000, interval: 20 }).toBe("provisioning");

    const asked = performance.now();
    daemon.signal("SIGTERM", "process");
    expect(await waiting).toMatchObject({ status: 200, body: { state: "provisioning" } });
    expect(await daemon.ended).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
  });

  test("a client that keeps its connection, or never sends a request, holds nothing up", async () => {
    const { path } = await nursery.dataDir();
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: path });
    const url = new URL(await daemon.listening);
    expect((await fetch(new URL("/livez", url))).status).toBe(200);
    const silent = connect(Number(url.port), url.hostname);
    await once(silent, "connect");
    daemon.signal("SIGTERM", "process");
    expect(await daemon.ended).toBe(0);
    silent.destroy();
  });
});
