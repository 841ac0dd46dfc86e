import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, inject, test, vi } from "vitest";
import { END_OF_GREETING, filesIn, UpRuns, urlIn } from "../../support/up.js";

vi.setConfig({ testTimeout: 120_000 });

const runs = new UpRuns(inject("databaseTemplates").dataDir);
const servers: Server[] = [];
afterEach(async () => {
  await runs.clear();
  for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
});

const READY = "Patchbay is ready";
const NO_OP = { PATCHBAY_BACKEND: "noop", PATCHBAY_LISTEN: "127.0.0.1:0" };

async function taken(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
}

describe("npm run up", () => {
  test("says what it is at, and greets last: requests go to a file", async () => {
    const dataDir = await runs.dataDir();
    await writeFile(join(dataDir, "daemon.log"), "what was before\n", { mode: 0o600 });
    const up = runs.start({ ...NO_OP, PATCHBAY_DATA_DIR: dataDir });
    await up.said(END_OF_GREETING);
    const greeted = up.output();
    expect(greeted.indexOf("starting the daemon")).toBeLessThan(greeted.indexOf(READY));
    const token = await readFile(join(dataDir, "operator-token"), "utf8");
    const headers = { authorization: `Bearer ${token.trim()}` };
    expect((await fetch(`${urlIn(greeted)}/v1/vpcs`, { headers })).status).toBe(200);
    const log = join(dataDir, "daemon.log");
    await vi.waitFor(async () => {
      expect(await readFile(log, "utf8")).toContain('"path":"/v1/vpcs"');
    });
    expect(up.output()).toBe(greeted);
    expect(greeted).toContain(log);
    expect(await readFile(`${log}.1`, "utf8")).toBe("what was before\n");
    expect((await up.stop()).code).toBe(0);
    expect(await filesIn(dataDir)).not.toContain("up.env");
  });

  test("shows the end of the log of a daemon that ended by itself", async () => {
    const dataDir = await runs.dataDir();
    const up = runs.start({ ...NO_OP, PATCHBAY_DATA_DIR: dataDir });
    await up.said(END_OF_GREETING);
    process.kill(await daemonOf(up.pid), "SIGTERM");
    const { code, output } = await up.ended;
    expect(code).toBe(0);
    expect(output.slice(output.indexOf("ended by itself"))).toContain('"msg":"stopped"');
  });

  test("without root says why nothing is programmed, and runs all the same", async () => {
    const dataDir = await runs.dataDir();
    const home = await runs.emptyDir();
    const through = process.getuid?.() === 0 ? await becomingNobody(dataDir, home) : [];
    const place = { HOME: home, PATCHBAY_DATA_DIR: dataDir };
    const settings = { PATCHBAY_LISTEN: "127.0.0.1:0", ...place };
    const up = runs.start(settings, through);
    await up.said(END_OF_GREETING);
    const { output } = await up.stop();
    expect(output).toContain("NO OPEN VSWITCH");
    expect(output).toContain("A private Open vSwitch needs root");
    expect(output.slice(output.indexOf(READY))).toContain("none: no-op mode, no packets");
  });
});

describe("a second npm run up", () => {
  test("beside a running one says where that is, how to use it and how to stop it", async () => {
    const dataDir = await runs.dataDir();
    const first = runs.start({ ...NO_OP, PATCHBAY_DATA_DIR: dataDir });
    await first.said(READY);
    const second = await runs.start({ ...NO_OP, PATCHBAY_DATA_DIR: dataDir }).ended;
    expect(second.code).toBe(0);
    expect(second.output).toContain("already running");
    expect(urlIn(second.output)).toBe(urlIn(first.output()));
    for (const word of ["operator-token", "npm run demo", `kill ${first.pid}`]) {
      expect(second.output).toContain(word);
    }
    const elsewhere = { ...NO_OP, PATCHBAY_LISTEN: "127.0.0.1:1" };
    const third = await runs.start({ ...elsewhere, PATCHBAY_DATA_DIR: dataDir }).ended;
    expect(third.code).toBe(1);
    expect(third.output).toContain("not at 127.0.0.1:1");
    expect((await fetch(`${urlIn(first.output())}/readyz`)).status).toBe(200);
  });

  test("beside one that is not ready says so, and disturbs nothing", async () => {
    const dataDir = await runs.dataDir();
    const startedAt = (await readFile("/proc/self/stat", "utf8")).split(") ")[1]?.split(" ")[19];
    const lock = JSON.stringify({ pid: process.pid, startedAt });
    await writeFile(join(dataDir, "up.lock"), lock);
    const second = await runs.start({ ...NO_OP, PATCHBAY_DATA_DIR: dataDir }).ended;
    expect(second).toMatchObject({ code: 1 });
    expect(second.output).toContain(`process ${process.pid}`);
    expect(await readFile(join(dataDir, "up.lock"), "utf8")).toBe(lock);
  });
});

describe("a port that is taken", () => {
  test("by something else is named, with what to do, before anything is made", async () => {
    const dataDir = join(await runs.emptyDir(), "var");
    const listen = await taken(createServer((socket) => socket.resume()));
    const up = runs.start({ ...NO_OP, PATCHBAY_LISTEN: listen, PATCHBAY_DATA_DIR: dataDir });
    const { code, output } = await up.ended;
    expect(code).toBe(1);
    expect(output).toContain(`${listen} is taken: something else listens there`);
    expect(output).toContain("PATCHBAY_LISTEN=");
    expect(output).not.toContain("starting the daemon");
    expect(await filesIn(dataDir)).toEqual([]);
  });

  test("by another Patchbay is told apart", async () => {
    const dataDir = await runs.dataDir();
    const listen = await taken(
      createHttpServer((_, answer) => answer.end('{"info":{"title":"Patchbay"}}')),
    );
    const up = runs.start({ ...NO_OP, PATCHBAY_LISTEN: listen, PATCHBAY_DATA_DIR: dataDir });
    const { code, output } = await up.ended;
    expect(code).toBe(1);
    expect(output).toContain(`answers at http://${listen}`);
  });
});

test("a data directory that cannot be made is named, without a stack", async () => {
  const file = join(await runs.emptyDir(), "file");
  await writeFile(file, "");
  const up = runs.start({ ...NO_OP, PATCHBAY_DATA_DIR: join(file, "var") });
  const { code, output } = await up.ended;
  expect(code).toBe(1);
  expect(output).toContain(file);
  expect(output).not.toContain("    at ");
});

/** Without root's number, but let into a clone that is closed to others; the directories are theirs. */
async function becomingNobody(...directories: string[]): Promise<string[]> {
  await promisify(execFile)("chown", ["-R", "65534", ...directories]);
  const mayRead = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"];
  return ["setpriv", "--reuid=65534", ...mayRead];
}

/** The daemon is the only process that it has started. */
async function daemonOf(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim());
}
