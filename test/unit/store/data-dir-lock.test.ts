import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DataDirLockedError, lockDataDir } from "../../../src/store/database/data-dir-lock.js";
import { transpileInto } from "../../support/transpiled.js";

/** Our number, and a word of this run. */
const OURS = new RegExp(`^${process.pid} [0-9a-f-]{36}\\n$`);

let scratch: string;
let dataDir: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "patchbay-test-"));
  dataDir = join(scratch, "var", "patchbay");
});

afterEach(() => rmSync(scratch, { recursive: true }));

/** Another process that holds the lock until it is killed. */
async function startHolder(): Promise<ChildProcess> {
  const module = pathToFileURL(transpileInto(scratch, "src/store/database/data-dir-lock.ts"));
  const script = `
    const { lockDataDir } = await import(${JSON.stringify(module.href)});
    await lockDataDir(${JSON.stringify(dataDir)});
    process.stdout.write("locked");
    setInterval(() => undefined, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = await once(holder.stdout, "data");
  expect(String(output)).toBe("locked");
  return holder;
}

function lockError(): Promise<unknown> {
  return lockDataDir(dataDir).then(
    () => expect.unreachable("the directory was not locked"),
    (error: unknown) => error,
  );
}

test("makes a private directory and writes its process id", async () => {
  const lock = await lockDataDir(dataDir);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect(statSync(join(dataDir, "daemon.lock")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(dataDir, "daemon.lock"), "utf8")).toMatch(OURS);
  await lock.release();
});

test("leaves the mode of a directory that is there to its owner", async () => {
  mkdirSync(dataDir, { recursive: true, mode: 0o750 });
  const { mode } = statSync(dataDir);
  const lock = await lockDataDir(dataDir);
  expect(statSync(dataDir).mode).toBe(mode);
  await lock.release();
});

test("refuses a second holder in this process too, until it is released", async () => {
  const lock = await lockDataDir(dataDir);
  expect(await lockError()).toBeInstanceOf(DataDirLockedError);
  await lock.release();
  const again = await lockDataDir(dataDir);
  await again.release();
});

test("refuses while another process holds it, naming both; kill -9 frees it", async () => {
  const holder = await startHolder();
  const error = await lockError();
  expect(error).toBeInstanceOf(DataDirLockedError);
  expect(error).toMatchObject({ dataDir, holderPid: holder.pid });
  expect(String(error)).toContain(dataDir);
  expect(String(error)).toContain(String(holder.pid));

  const exited = once(holder, "exit");
  holder.kill("SIGKILL");
  await exited;
  const lock = await lockDataDir(dataDir);
  expect(readFileSync(join(dataDir, "daemon.lock"), "utf8")).toMatch(OURS);
  await lock.release();
});
