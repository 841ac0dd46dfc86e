import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import {
  type DatabaseEngine,
  databaseEngines,
  type FreshDatabase,
} from "../../support/databases.js";
import { createDatabase } from "../../support/postgres.js";
import { type RpcServer, reply, rpcServer } from "../../unit/backends/rpc-server.js";
import { contentsOf, rowsOf, start } from "./state-scene.js";

const NOBODY = 65534;
const ID = "e".repeat(32);

const LOSE_INSTALLATION = `CREATE TABLE kept AS SELECT * FROM installation;
  DELETE FROM installation; INSERT INTO tenant (id, name) VALUES ('100000000001', 'left')`;
const FIND_INSTALLATION = `INSERT INTO installation SELECT * FROM kept;
  DROP TABLE kept; DELETE FROM tenant`;

async function execute(databaseUrl: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** An installation that has started once. */
interface Begun extends FreshDatabase {
  readonly installationId: string;
}

async function begin(engine: DatabaseEngine): Promise<Begun> {
  const fresh = await engine.fresh();
  return { ...fresh, ...(await start(fresh)) };
}

function engineNamed(name: DatabaseEngine["name"]): DatabaseEngine {
  const engine = databaseEngines.find((each) => each.name === name);
  if (engine === undefined) throw new Error(`there is no ${name} to test on`);
  return engine;
}

/** A copy of the data directory in which a test may do what it likes. */
function copyOf({ dataDir }: FreshDatabase): string {
  const copy = `${dataDir}-${randomBytes(4).toString("hex")}`;
  cpSync(dataDir, copy, { recursive: true, preserveTimestamps: true });
  chmodSync(copy, 0o700);
  return copy;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "RefusedError" });
  return error instanceof Error ? error.message : "";
}

describe.each(databaseEngines)("parts that do not fit together, on $name", (engine) => {
  let begun: Begun;

  beforeAll(async () => {
    begun = await begin(engine);
  });
  afterAll(() => begun.cleanup());

  /** @param leftOut an embedded database that is opened has its own recovery */
  async function expectRefused(
    why: string,
    damage: (dataDir: string) => void,
    leftOut: readonly string[] = ["db"],
  ): Promise<void> {
    const dataDir = copyOf(begun);
    try {
      damage(dataDir);
      const rows = begun.databaseUrl === undefined ? undefined : await rowsOf(begun.databaseUrl);
      const files = contentsOf(dataDir, leftOut);
      expect(await refusal(start({ ...begun, dataDir }))).toContain(why);
      expect(contentsOf(dataDir, leftOut)).toEqual(files);
      if (begun.databaseUrl !== undefined) expect(await rowsOf(begun.databaseUrl)).toEqual(rows);
    } finally {
      rmSync(dataDir, { recursive: true });
    }
  }

  it("refuses when the key is lost, and makes no other", async () => {
    await expectRefused(
      "secret-key is missing",
      (dataDir) => rmSync(join(dataDir, "secret-key")),
      [],
    );
  });

  it("refuses when all but the database is lost", async () => {
    await expectRefused("secret-key is missing", (dataDir) => {
      for (const name of readdirSync(dataDir)) if (name !== "db") rmSync(join(dataDir, name));
    });
  });

  it("refuses the key of another installation", async () => {
    const key = randomBytes(32).toString("base64");
    await expectRefused("does not belong to this database", (dataDir) =>
      writeFileSync(join(dataDir, "secret-key"), `${key}\n`),
    );
  });

  it("refuses the database of another installation", async () => {
    await expectRefused(`belongs to installation ${ID}`, (dataDir) =>
      writeFileSync(join(dataDir, "installation-id"), `${ID}\n`),
    );
  });

  it("refuses when the database is lost, and makes no other", async () => {
    const dataDir = copyOf(begun);
    rmSync(join(dataDir, "db"), { recursive: true, force: true });
    const place =
      engine.name === "pglite" ? { dataDir } : { dataDir, databaseUrl: await emptyDatabase() };
    const files = contentsOf(dataDir);
    const message = await refusal(start(place));
    expect(message).toContain(engine.name === "pglite" ? "db is missing" : "database is empty");
    expect(message).toContain(begun.installationId);
    expect(contentsOf(dataDir)).toEqual(files);
    if (place.databaseUrl !== undefined) expect(await rowsOf(place.databaseUrl)).toEqual({});
    rmSync(dataDir, { recursive: true });
  });

  it("refuses a database with tenants that has lost its installation", async () => {
    const { databaseUrl } = begun;
    if (databaseUrl === undefined) return;
    await execute(databaseUrl, LOSE_INSTALLATION);
    await expectRefused("no row in its table installation", () => undefined);
    await expectRefused("no row in its table installation", (dataDir) => {
      for (const name of readdirSync(dataDir)) rmSync(join(dataDir, name));
    });
    await execute(databaseUrl, FIND_INSTALLATION);
  });

  it("starts when only the note of the id is lost, and writes it again", async () => {
    const { dataDir, installationId } = begun;
    rmSync(join(dataDir, "installation-id"));
    await start(begun);
    expect(readFileSync(join(dataDir, "installation-id"), "utf8").trim()).toBe(installationId);
  });
});

it("an empty database beside an embedded one that is not used is refused", async () => {
  const { dataDir, cleanup } = await engineNamed("pglite").fresh();
  const files = contentsOf(dataDir);
  const message = await refusal(start({ dataDir, databaseUrl: await emptyDatabase() }));
  expect(message).toContain("has been used: db");
  expect(contentsOf(dataDir)).toEqual(files);
  await cleanup();
});

/** A switch with one bridge of a VPC of the installation `ID`, which nobody serves. */
function orphanedSwitch(): Promise<RpcServer> {
  const name = "pb00002av1";
  const external_ids = ["map", [["patchbay-installation", ID]]];
  const row = { name, ports: ["set", []], external_ids };
  return rpcServer((request, socket) => {
    const isSurvey = request.method === "monitor";
    reply(socket, request, isSurvey ? { Bridge: { b: { new: row } } } : { locked: true });
  });
}

it("an adoption that was interrupted before the id was noted goes on", async () => {
  const begun = await begin(engineNamed("postgres"));
  const ovs = await orphanedSwitch();
  const env = { PATCHBAY_BACKEND: "ovs", PATCHBAY_OVSDB: `unix:${ovs.path}` };
  const inTheWay = join(begun.dataDir, "installation-id.new");
  mkdirSync(inTheWay);
  await expect(start(begun, { consent: "adopt", env })).rejects.toThrow("EISDIR");
  rmSync(inTheWay, { recursive: true });
  expect(await start(begun, { env })).toMatchObject({ installationId: ID });
  expect(readFileSync(join(begun.dataDir, "installation-id"), "utf8").trim()).toBe(ID);
  await ovs.close();
  await begun.cleanup();
});

function emptyDatabase(): Promise<string> {
  const { postgres } = inject("databaseTemplates");
  if ("missing" in postgres) throw new Error(postgres.missing);
  return createDatabase(postgres.adminUrl);
}

describe("files of a data directory", () => {
  let begun: Begun;

  beforeAll(async () => {
    begun = await begin(engineNamed("postgres"));
  });
  afterAll(() => begun.cleanup());

  it.each([
    ["secret-key", 0o644, "chmod 600"],
    ["secret-key", 0o640, "chmod 600"],
    ["operator-token", 0o604, "chmod 600"],
    [".", 0o770, "chmod 700"],
    [".", 0o707, "chmod 700"],
  ])("%s is refused when others may get at it (%o)", async (name, mode, remedy) => {
    const path = join(begun.dataDir, name);
    chmodSync(path, mode);
    expect(await refusal(start(begun))).toContain(remedy);
    chmodSync(path, name === "." ? 0o700 : 0o600);
  });

  it("a folder that belongs to another user is refused", async () => {
    const { dataDir } = begun;
    const db = join(dataDir, "db");
    mkdirSync(db, { recursive: true });
    for (const path of [dataDir, db]) {
      chownSync(path, NOBODY, NOBODY);
      expect(await refusal(start(begun))).toContain(`${path} belongs to another user`);
      chownSync(path, 0, 0);
    }
    rmSync(db, { recursive: true });
  });

  it("a database that others could have changed is refused", async () => {
    const { dataDir } = begun;
    const db = join(dataDir, "db");
    mkdirSync(db, { recursive: true });
    chmodSync(db, 0o777);
    chmodSync(dataDir, 0o755);
    expect(await refusal(start(begun))).toContain(`chmod 700 ${db}`);
    chmodSync(dataDir, 0o700);
    await start(begun);
    rmSync(db, { recursive: true });
  });

  it.each([
    ["secret-key", ""],
    ["secret-key", "AAAA\n"],
    ["secret-key", `${"!".repeat(44)}\n`],
    ["operator-token", ""],
    ["operator-token", "two words\n"],
    ["installation-id", ""],
    ["installation-id", "\0\0\0"],
  ])("%s is refused when it holds %j", async (name, text) => {
    const path = join(begun.dataDir, name);
    const before = readFileSync(path);
    writeFileSync(path, text);
    expect(await refusal(start(begun))).toContain(path);
    expect(readFileSync(path, "utf8")).toBe(text);
    writeFileSync(path, before);
  });

  it("a folder in the place of one is refused", async () => {
    const path = join(begun.dataDir, "secret-key");
    renameSync(path, `${path}.kept`);
    mkdirSync(path);
    expect(await refusal(start(begun))).toContain("is not a file");
    rmSync(path, { recursive: true });
    renameSync(`${path}.kept`, path);
  });

  it("an embedded database that an older release left open is closed to others", async () => {
    const fresh = await engineNamed("pglite").fresh();
    const db = join(fresh.dataDir, "db");
    chmodSync(db, 0o755);
    await start(fresh);
    expect(statSync(db).mode & 0o777).toBe(0o700);
    await fresh.cleanup();
  });

  it("a folder in the place of the lock is refused, with what to do", async () => {
    const path = join(begun.dataDir, "daemon.lock");
    rmSync(path);
    mkdirSync(path);
    expect(await refusal(start(begun))).toContain(`Remove the folder ${path}`);
    rmSync(path, { recursive: true });
  });

  it("a data directory that was made for a start that was refused is removed again", async () => {
    const dataDir = join(begun.dataDir, "not", "there", "yet");
    expect(await refusal(start({ ...begun, dataDir }))).toContain("secret-key is missing");
    expect(existsSync(join(begun.dataDir, "not"))).toBe(false);
  });
});
