import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { openDatabase } from "../../dist/store/database/open.js";
import { client } from "../lib/client.mjs";
import { probe, settledListen } from "../lib/daemon.mjs";
import { ROOT, sleep } from "../lib/process.mjs";

const OPERATOR_TOKEN = "bench-operator-token-0123456789abcdef";
const LIMIT_MS = 300_000;
const STOP_LIMIT_MS = 30_000;
const POLL_MS = 100;
const SILENT = { info() {}, warn() {}, error() {} };

/** Collects the garbage when told to, so that what is left is what is needed. */
const COLLECTOR = 'data:text/javascript,process.on("SIGUSR2",()=>gc())';

/** A daemon on a database of its own, which others may write to while it is down. */
export class ScaleDaemon {
  #options;
  #child;
  #url;
  #token;

  /**
   * @param {{ dataDir: string, databaseUrl?: string, settings?: object, profileDir?: string }} options
   *   `settings`: environment; `profileDir`: where each run leaves a CPU profile when it stops
   */
  constructor(options) {
    this.#options = options;
  }

  get url() {
    return this.#url;
  }

  get pid() {
    return this.#child.pid;
  }

  /** @returns {Promise<{ readyMs: number, programmedMs: number }>} since the process was started */
  async start() {
    const listen = await settledListen({ PATCHBAY_LISTEN: "127.0.0.1:0" });
    this.#url = `http://${listen}`;
    const begun = performance.now();
    this.#child = spawn(process.execPath, this.#arguments(), {
      cwd: ROOT,
      detached: true,
      env: { ...process.env, ...this.#settings(listen) },
      stdio: ["ignore", "inherit", "inherit"],
    });
    await this.#until("it is ready", async () => (await probe(this.#url, "/readyz")) === 200);
    const readyMs = performance.now() - begun;
    await this.untilProgrammed();
    return { readyMs, programmedMs: performance.now() - begun };
  }

  #arguments() {
    const { profileDir } = this.#options;
    const profiling = profileDir ? ["--cpu-prof", `--cpu-prof-dir=${profileDir}`] : [];
    return ["--expose-gc", "--import", COLLECTOR, ...profiling, join(ROOT, "dist/main.js")];
  }

  #settings(listen) {
    const { dataDir, databaseUrl = "", settings } = this.#options;
    return {
      DATABASE_URL: databaseUrl,
      PATCHBAY_BACKEND: "noop",
      PATCHBAY_LISTEN: listen,
      PATCHBAY_DATA_DIR: dataDir,
      PATCHBAY_OPERATOR_TOKEN: OPERATOR_TOKEN,
      PATCHBAY_RATE_LIMIT_PER_SECOND: "0",
      PATCHBAY_QUOTA_LIVE_PEERINGS_PER_VPC: "1000",
      PATCHBAY_QUOTA_PENDING_REQUESTS_PER_TENANT: "100000",
      PATCHBAY_QUOTA_VPCS_PER_TENANT: "10000",
      PATCHBAY_RESYNC_SECONDS: "3600",
      PATCHBAY_LOG_LEVEL: "error",
      ...settings,
    };
  }

  async stop() {
    if (this.#child === undefined || this.#child.exitCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
    this.#child = undefined;
  }

  /** Stops it if it runs, lets somebody work on its database, and leaves it down. */
  async whileDown(work) {
    await this.stop();
    const { dataDir, databaseUrl } = this.#options;
    const database = await openDatabase({ dataDir, databaseUrl, log: SILENT });
    try {
      return await work(database.client);
    } finally {
      await database.close();
    }
  }

  operator(method, path, body) {
    return client(this.#url, OPERATOR_TOKEN)(method, path, body);
  }

  /** @returns a caller for a tenant, made when there is none */
  async tenant() {
    if (this.#token === undefined) {
      const { id } = await this.operator("POST", "/tenants", { name: "bench" });
      const keys = `/tenants/${id}/access-keys`;
      this.#token = (await this.operator("POST", keys, { roles: ["admin"] })).token;
      this.tenantId = id;
    }
    return client(this.#url, this.#token);
  }

  /** Waits until the switch has followed everywhere. */
  async untilProgrammed() {
    await this.#until("everything is programmed", async () => {
      const metrics = await this.metrics("bridges", "bridges_behind", "bridges_failing");
      return metrics.bridges > 0 && metrics.bridges_behind + metrics.bridges_failing === 0;
    });
  }

  /** @returns {Promise<Record<string, number>>} the metrics of these names */
  async metrics(...names) {
    const text = await (await fetch(`${this.#url}/metrics`)).text();
    const value = (name) => Number(new RegExp(`^patchbay_${name} (\\S+)$`, "m").exec(text)?.[1]);
    return Object.fromEntries(names.map((name) => [name, value(name)]));
  }

  collectGarbage() {
    process.kill(this.pid, "SIGUSR2");
  }

  async #until(what, condition) {
    const deadline = performance.now() + LIMIT_MS;
    while (!(await condition())) {
      if (this.#child.exitCode !== null) throw new Error("the daemon has ended");
      if (performance.now() > deadline) throw new Error(`waited too long until ${what}`);
      await sleep(POLL_MS);
    }
  }
}
