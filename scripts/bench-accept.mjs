#!/usr/bin/env node
// Prints how long an accept with ?wait takes until the switch has confirmed it, with many bridges.
// Usage: node scripts/bench-accept.mjs [BRIDGES] [RUNS]     (root; build first)
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bridges = Number(process.argv[2] ?? 100);
const runs = Number(process.argv[3] ?? 60);
const warmUp = 5;
const operatorToken = "bench-operator-token-0123456789abcdef";

const dir = mkdtempSync(join(tmpdir(), "pbb-"));
const sandbox = (verb) =>
  execFileSync(join(root, "ovs/sandbox.sh"), [verb, join(dir, "ovs")], { encoding: "utf8" });

let daemon;
try {
  const settings = Object.fromEntries(
    sandbox("start")
      .trim()
      .split("\n")
      .map((line) => {
        const [key, ...value] = line.split("=");
        return [key, value.join("=").replace(/^'(.*)'$/, "$1")];
      }),
  );
  const url = await startDaemon(settings);
  report(await measure(url));
} finally {
  if (daemon?.exitCode === null) {
    daemon.kill("SIGTERM");
    await new Promise((resolve) => daemon.once("exit", resolve));
  }
  sandbox("stop");
  rmSync(dir, { recursive: true, force: true });
}

async function startDaemon(settings) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  daemon = spawn(process.execPath, [join(root, "dist/main.js")], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      ...settings,
      PATCHBAY_BACKEND: "ovs",
      PATCHBAY_LISTEN: `127.0.0.1:${port}`,
      PATCHBAY_DATA_DIR: join(dir, "data"),
      PATCHBAY_OPERATOR_TOKEN: operatorToken,
      PATCHBAY_RATE_LIMIT_PER_SECOND: "0",
      PATCHBAY_LOG_LEVEL: "error",
    },
  });
  await until(async () => (await fetch(`${url}/readyz`)).ok, "the daemon is ready");
  return url;
}

async function measure(url) {
  const call = caller(url);
  const tenant = await call(operatorToken, "POST", "/tenants", { name: "bench" });
  const keys = `/tenants/${tenant.id}/access-keys`;
  const { token } = await call(operatorToken, "POST", keys, { roles: ["admin"] });
  const vpcs = [];
  for (let i = 0; i < bridges; i += 1) {
    vpcs.push(await call(token, "POST", "/vpcs", { cidrBlock: `10.${i % 256}.0.0/16` }));
  }
  await until(async () => {
    const { items } = await call(token, "GET", "/vpcs?limit=1000");
    return items.every((vpc) => vpc.dataPlane.state === "programmed");
  }, "all bridges are programmed");
  const accepts = [];
  const deletes = [];
  for (let i = 0; i < warmUp + runs; i += 1) {
    const [a, b] = pairFor(i, vpcs);
    const body = { requesterVpcId: a.id, accepterVpcId: b.id };
    const { id } = await call(token, "POST", "/vpc-peerings", body);
    const accept = await timed(() => call(token, "POST", `/vpc-peerings/${id}/accept?wait=10`));
    const removal = await timed(() => call(token, "DELETE", `/vpc-peerings/${id}?wait=10`));
    if (accept.value.state !== "active") throw new Error(`not active: ${accept.value.state}`);
    if (removal.value.state !== "deleted") throw new Error(`not cut: ${removal.value.state}`);
    if (i < warmUp) continue;
    accepts.push(accept.ms);
    deletes.push(removal.ms);
  }
  return { accepts, deletes };
}

/** A different pair of neighbours each time, so that no run profits from the one before it. */
function pairFor(i, vpcs) {
  const at = (2 * i) % (vpcs.length - 1);
  return [vpcs[at], vpcs[at + 1]];
}

function report({ accepts, deletes }) {
  console.log(`${bridges} VPC bridges, ${runs} runs, milliseconds until the switch confirmed it`);
  for (const [name, values] of [
    ["accept ?wait", accepts],
    ["delete ?wait", deletes],
  ]) {
    const sorted = [...values].sort((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const figures = [`min ${at(0).toFixed(1)}`, `median ${at(0.5).toFixed(1)}`];
    figures.push(`p90 ${at(0.9).toFixed(1)}`, `max ${at(1).toFixed(1)}`);
    console.log(`  ${name}   ${figures.join("   ")}`);
  }
}

async function timed(work) {
  const start = performance.now();
  const value = await work();
  return { value, ms: performance.now() - start };
}

function caller(url) {
  return async (token, method, path, body) => {
    const response = await fetch(`${url}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
}

async function until(condition, what) {
  const deadline = performance.now() + 120_000;
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (performance.now() > deadline) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
