import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import { patient } from "./patience.js";
import { createDatabase } from "./postgres.js";
import { waitFor } from "./rest.js";
import type { Sandbox } from "./sandbox.js";

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = patient(12_000);

export interface DaemonOptions {
  readonly sandbox: Sandbox;
  /** Settings on top of those that every test daemon gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on the command line of the first life. */
  readonly args?: readonly string[];
  /** Where to make the data directory; the temporary folder unless given. */
  readonly parentDir?: string;
  /** A data directory that nobody uses at the moment, to begin with a copy of; as before a first start unless given. */
  readonly copyOf?: string;
  /** What to wait for: a daemon that may do nothing does not get ready. */
  readonly until?: "/readyz" | "/livez";
}

/** A daemon with a data directory and a port of its own; both outlive its restarts. */
export interface Daemon {
  readonly url: string;
  readonly operatorToken: string;
  readonly dataDir: string;
  /** Of the process that runs at present. */
  readonly pid: number;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /**
   * Stops it if it runs, starts it again and waits until it is ready.
   * @param env settings on top of the others, in this life only
   */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
  /** All that it has printed, in every life. */
  log(): string;
  /** Ends it and removes its data. Idempotent. */
  dispose(): Promise<void>;
}

/** Starts the built daemon on a sandbox's switch and waits until it is ready. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { sandbox, env = {}, args = [], parentDir = tmpdir(), copyOf } = options;
  const { until = "/readyz" } = options;
  const dataDir = await mkdtemp(join(parentDir, "pbd-"));
  const from = copyOf ?? templateFor(env);
  if (from !== undefined) await cp(from, dataDir, { recursive: true });
  const listen = `127.0.0.1:${await freePort()}`;
  const url = `http://${listen}`;
  const process = new DaemonProcess(url, until, {
    PATCHBAY_LISTEN: listen,
    PATCHBAY_DATA_DIR: dataDir,
    PATCHBAY_BACKEND: "ovs",
    PATCHBAY_RATE_LIMIT_PER_SECOND: "0",
    // Tests ask again and again.
    PATCHBAY_QUOTA_REQUESTS_PER_HOUR_TO_TENANT: "1000000",
    ...sandbox.env,
    ...(await databaseFor(options)),
    ...env,
  });
  const dispose = async () => {
    await process.end("SIGKILL");
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await process.start({}, args);
    const operatorToken = (await readFile(join(dataDir, "operator-token"), "utf8")).trim();
    return daemonOf(process, { url, dataDir, operatorToken }, dispose);
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Where PostgreSQL is used, an embedded database in the data directory would be somebody else's. */
function templateFor(env: DaemonOptions["env"] = {}): string | undefined {
  return "DATABASE_URL" in env ? undefined : inject("embeddedTemplate");
}

/** Where daemons are to use PostgreSQL: one of its own, for this daemon and its later lives. */
async function databaseFor({ env = {}, copyOf }: DaemonOptions): Promise<Record<string, string>> {
  const from = inject("daemonTemplate");
  if (!from || copyOf !== undefined || "DATABASE_URL" in env) return {};
  return { DATABASE_URL: await createDatabase(from.adminUrl, from.template) };
}

function daemonOf(
  process: DaemonProcess,
  facts: Pick<Daemon, "url" | "dataDir" | "operatorToken">,
  dispose: () => Promise<void>,
): Daemon {
  return {
    ...facts,
    get pid() {
      return process.pid;
    },
    stop: () => process.end("SIGTERM"),
    kill: async () => {
      await process.end("SIGKILL");
    },
    restart: async (env) => {
      await process.end("SIGTERM");
      await process.start(env);
    },
    log: () => process.log,
    dispose,
  };
}

class DaemonProcess {
  readonly #url: string;
  readonly #until: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #child: ChildProcess | undefined;
  log = "";

  constructor(url: string, until: string, settings: Readonly<Record<string, string>>) {
    this.#url = url;
    this.#until = until;
    this.#env = { ...foreignEnvironment(), ...settings };
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error("the daemon is not running");
    return this.#child.pid;
  }

  async start(
    env: Readonly<Record<string, string>> = {},
    args: readonly string[] = [],
  ): Promise<void> {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...this.#env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
      });
    }
    const orphaned = () => child.kill("SIGKILL");
    process.once("exit", orphaned);
    child.once("exit", () => process.off("exit", orphaned));
    await this.#untilReady(child);
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    const ready = waitFor(() => hasEnded(child) || this.#answers(), READY_LIMIT_MS, this.#until);
    await ready.catch((error: unknown) => {
      throw new Error(`the daemon does not get ready:\n${this.log}`, { cause: error });
    });
    if (hasEnded(child)) throw new Error(`the daemon ended at once:\n${this.log}`);
  }

  async #answers(): Promise<boolean> {
    const answer = await fetch(this.#url + this.#until, { headers: { connection: "close" } });
    await answer.arrayBuffer();
    return answer.ok;
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || hasEnded(child)) return child?.exitCode ?? null;
    const late = AbortSignal.timeout(STOP_LIMIT_MS);
    child.kill(signal);
    await once(child, "exit", { signal: late });
    return child.exitCode;
  }
}

/** Settings of the shell that runs the tests are none of theirs. */
function foreignEnvironment(): Record<string, string | undefined> {
  const own = /^(PATCHBAY_|DATABASE_URL$|VITEST|NODE_ENV$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
