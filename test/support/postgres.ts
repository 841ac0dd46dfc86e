import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { patient } from "./patience.js";
import { findBinaries, freePort, isRoot, unprivileged } from "./postgres-programs.js";

export interface PostgresServer {
  url(database: string): string;
  /** @returns the URL of a new database, a copy of `template` when that is given */
  createDatabase(template?: string): Promise<string>;
  /** Ends the server in good order and removes its files. */
  stop(): Promise<void>;
  /** Starts it again on the same port, after ending it in good order if it runs. */
  restart(): Promise<void>;
  /** SIGKILL, as by a crash; `restart` then recovers. */
  kill(): Promise<void>;
}

interface Cluster {
  readonly binaries: string;
  readonly directory: string;
  readonly port: number;
}

const startLimitMs = patient(30_000);

/** Survives a crash of the server, as some tests want, but no power loss. */
const settings = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "fsync=off",
  "full_page_writes=off",
  "shared_buffers=32MB",
  "max_connections=200",
];

/** A real, private PostgreSQL on a free loopback port; it ends with the process that started it. */
export async function startPostgres(): Promise<PostgresServer> {
  const cluster = await initialise();
  let server = await launch(cluster);
  const url = (database: string) => `postgresql://postgres@127.0.0.1:${cluster.port}/${database}`;
  return {
    url,
    createDatabase: (template) => createDatabase(url("postgres"), template),
    stop: async () => {
      await end(server, "SIGINT");
      rmSync(cluster.directory, { recursive: true, force: true });
    },
    restart: async () => {
      await end(server, "SIGINT");
      server = await launch(cluster);
    },
    kill: () => end(server, "SIGKILL"),
  };
}

async function initialise(): Promise<Cluster> {
  const binaries = findBinaries();
  const directory = mkdtempSync(join(tmpdir(), "patchbay-postgres-"));
  if (isRoot()) execFileSync("chown", ["postgres:", directory]);
  const options = ["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8"];
  const [program, ...rest] = unprivileged(join(binaries, "initdb"), [
    ...options,
    "--locale=C",
    "--pgdata",
    join(directory, "data"),
  ]);
  execFileSync(program, rest, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
  return { binaries, directory, port: await freePort() };
}

/** After a crash the first attempts may find the old server's last processes still leaving. */
async function launch(cluster: Cluster): Promise<ChildProcess> {
  const deadline = Date.now() + startLimitMs;
  for (;;) {
    const { server, output } = spawnServer(cluster);
    while (server.exitCode === null && Date.now() < deadline) {
      if (await answers(cluster.port)) return server;
      await delay(50);
    }
    await end(server, "SIGKILL");
    if (Date.now() >= deadline) throw new Error(`PostgreSQL does not start:\n${output.join("")}`);
  }
}

function spawnServer({ binaries, directory, port }: Cluster) {
  const [program, ...rest] = unprivileged(join(binaries, "postgres"), [
    ...["-D", join(directory, "data"), "-p", String(port)],
    ...settings.flatMap((setting) => ["-c", setting]),
  ]);
  const server = spawn(program, rest, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
  const output: string[] = [];
  server.stderr.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  return { server, output };
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill(signal);
  await exited;
}

async function answers(port: number): Promise<boolean> {
  try {
    await query(`postgresql://postgres@127.0.0.1:${port}/postgres`, "SELECT 1");
    return true;
  } catch {
    return false; // not yet: the caller asks again, and gives up with the server's own words
  }
}

/** @returns the URL of a new database on the server of `adminUrl` */
export async function createDatabase(adminUrl: string, template = "template1"): Promise<string> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  await query(adminUrl, `CREATE DATABASE "${name}" TEMPLATE "${template}"`);
  return new URL(`/${name}`, adminUrl).href;
}

async function query(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
