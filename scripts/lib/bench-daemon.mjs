import { openDatabase } from "../../dist/store/database/open.js";
import { settledListen, startDaemon, waitUntilReady } from "./daemon.mjs";

export const OPERATOR_TOKEN = "bench-operator-token-0123456789abcdef";

const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;
const SILENT = { info() {}, warn() {}, error() {} };

/**
 * The settings of a daemon that is measured: an embedded database and nothing of the caller's own
 * settings, except what is given.
 */
export function benchSettings(given) {
  const inherited = Object.keys(process.env).filter((name) => name.startsWith("PATCHBAY_"));
  return {
    ...Object.fromEntries([...inherited, "DATABASE_URL"].map((name) => [name, ""])),
    PATCHBAY_OPERATOR_TOKEN: OPERATOR_TOKEN,
    PATCHBAY_RATE_LIMIT_PER_SECOND: "0",
    PATCHBAY_LOG_LEVEL: "error",
    ...given,
  };
}

/** A daemon that is measured; others may write to its database while it is down. */
export class BenchDaemon {
  #settings;
  #signal;
  #running;

  /**
   * @param {{ PATCHBAY_DATA_DIR: string }} given its folder, and other settings
   * @param {AbortSignal} signal ends every wait for it
   */
  constructor(given, signal) {
    this.#signal = signal;
    this.#settings = benchSettings(given);
  }

  /** @returns where it listens, the same at every start */
  async start() {
    this.#settings.PATCHBAY_LISTEN ||= await settledListen({ PATCHBAY_LISTEN: "127.0.0.1:0" });
    const url = `http://${this.#settings.PATCHBAY_LISTEN}`;
    this.#signal.throwIfAborted();
    this.#running = startDaemon(this.#settings, { output: process.stderr });
    const state = await waitUntilReady(this.#running, url, READY_LIMIT_MS);
    this.#signal.throwIfAborted();
    if (state !== "ready") throw new Error(`the daemon is not ready: ${state}`);
    return url;
  }

  async stop() {
    await this.#running?.stop(STOP_LIMIT_MS);
    this.#running = undefined;
  }

  get pid() {
    return this.#running.pid;
  }

  /** Stops it, lets somebody work on its database, and starts it again. */
  async whileDown(work) {
    await this.stop();
    const { PATCHBAY_DATA_DIR: dataDir, DATABASE_URL } = this.#settings;
    const where = { dataDir, ...(DATABASE_URL && { databaseUrl: DATABASE_URL }) };
    const database = await openDatabase({ ...where, log: SILENT });
    try {
      return await work(database.client);
    } finally {
      await database.close();
      await this.start();
    }
  }
}
