import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, inject, test, vi } from "vitest";
import { freePort } from "../../scripts/lib/free-port.mjs";
import { Fuzzer, reportOf } from "./fuzzer.js";
import { Heap, slope } from "./heap.js";
import { fuzzSettings } from "./settings.js";
import { sweep } from "./sweep.js";
import { overHttp } from "./transport.js";

vi.setConfig({ testTimeout: 0 });

const { seed, calls } = fuzzSettings({ seed: Date.now() % 2 ** 31, calls: 5000 });

const LOOKS = 12;
/** The first looks show caches that fill. */
const LOOKS_TO_WARM_UP = 4;
/**
 * Measured: some 260 in 1,200 calls, of which a part is tenants and keys, which are in memory and not all
 * deleted again. What is kept of every request is more.
 */
const MOST_BYTES_PER_CALL = 1024;

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

test(`${calls} calls to a daemon (FUZZ_SEED=${seed})`, async () => {
  const daemon = await startDaemon();
  const transport = overHttp(daemon.url);
  const fuzzer = await Fuzzer.start({ transport, operatorToken: daemon.operatorToken, seed });
  const points: [number, number][] = [];
  for (let look = 1; look <= LOOKS; look += 1) {
    await fuzzer.run(Math.ceil(calls / LOOKS));
    await sweep(fuzzer.world, transport, fuzzer.operations);
    fuzzer.somethingChanged();
    points.push([fuzzer.made, await daemon.heap.used()]);
    console.log(
      `${fuzzer.made} calls, ${fuzzer.findings.length} findings, heap ${points.at(-1)?.[1]}`,
    );
  }
  expect(reportOf(fuzzer.findings)).toEqual([]);
  expect(slope(points.slice(LOOKS_TO_WARM_UP))).toBeLessThan(MOST_BYTES_PER_CALL);
});

async function startDaemon() {
  const dataDir = await mkdtemp(join(tmpdir(), "patchbay-fuzz-"));
  undo.push(() => rm(dataDir, { recursive: true }));
  await cp(inject("embeddedTemplate"), dataDir, { recursive: true });
  const heapFile = `${dataDir}.heap`;
  undo.push(() => rm(heapFile, { force: true }));
  const listen = `127.0.0.1:${await freePort()}`;
  const child = spawn(process.execPath, programOf("heap-probe.mjs", "../../dist/main.js"), {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env["PATH"],
      FUZZ_HEAP_FILE: heapFile,
      PATCHBAY_BACKEND: "noop",
      PATCHBAY_DATA_DIR: dataDir,
      PATCHBAY_LISTEN: listen,
      PATCHBAY_LOG_LEVEL: "error",
      PATCHBAY_RATE_LIMIT_PER_SECOND: "0",
    },
  });
  undo.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  });
  const url = `http://${listen}`;
  await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), 60_000);
  const operatorToken = (await readFile(join(dataDir, "operator-token"), "utf8")).trim();
  return { url, operatorToken, heap: new Heap(heapFile, () => void child.kill("SIGUSR2")) };
}

function programOf(probe: string, main: string): string[] {
  const [probeUrl, mainUrl] = [probe, main].map((path) => new URL(path, import.meta.url));
  return ["--expose-gc", "--import", String(probeUrl), fileURLToPath(mainUrl ?? "")];
}
