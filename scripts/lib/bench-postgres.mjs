import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { freePort } from "./free-port.mjs";
import { isRoot, run, sleep } from "./process.mjs";

/** Seconds everywhere, but a minute in a guest on a busy machine. */
const START_LIMIT_MS = 120_000;

/**
 * A database of its own to measure on, gone afterwards: on the server of DATABASE_URL, on a private
 * PostgreSQL where its programs are installed, or else embedded.
 * @typedef {object} BenchDatabase
 * @property {string} engine for the reader
 * @property {string | undefined} databaseUrl undefined: embedded
 * @property {string} dataDir
 * @property {() => Promise<void>} remove
 */

/** @returns {Promise<BenchDatabase>} */
export async function makeDatabase() {
  return (await makePostgres()) ?? makeEmbedded();
}

/** @returns {BenchDatabase} */
export function makeEmbedded() {
  const { dataDir, clean } = makeFolder();
  const remove = async () => clean();
  return { engine: "embedded (PGlite)", databaseUrl: undefined, dataDir, remove };
}

/** @returns {Promise<BenchDatabase | undefined>} undefined where there is no PostgreSQL */
export async function makePostgres() {
  const programs = findPrograms();
  const given = process.env.DATABASE_URL;
  if (given === undefined && programs === undefined) return undefined;
  const { dataDir, clean } = makeFolder();
  if (given !== undefined) {
    const database = await onServer(given);
    return { ...database, dataDir, remove: () => database.remove().finally(clean) };
  }
  const server = await startServer(programs, join(dataDir, "postgres"));
  const database = await onServer(server.url);
  return { ...database, dataDir, remove: () => server.stop().finally(clean) };
}

function makeFolder() {
  const dataDir = mkdtempSync(join(tmpdir(), "patchbay-bench-"));
  return { dataDir, clean: () => rmSync(dataDir, { recursive: true, force: true }) };
}

async function onServer(adminUrl) {
  const name = `patchbay_bench_${randomBytes(4).toString("hex")}`;
  const [{ server_version: version }] = await query(adminUrl, "SHOW server_version");
  await query(adminUrl, `CREATE DATABASE ${name}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const remove = () => query(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
  return { engine: `PostgreSQL ${version}`, databaseUrl: url.href, remove };
}

export async function query(connectionString, sql) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function findPrograms() {
  const folder = "/usr/lib/postgresql";
  const versions = existsSync(folder) ? readdirSync(folder) : [];
  versions.sort((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(folder, version, "bin"))
    .find((bin) => existsSync(join(bin, "initdb")) && existsSync(join(bin, "postgres")));
}

/** A server that syncs as in production, and that ends with this process. */
async function startServer(programs, directory) {
  const data = join(directory, "data");
  mkdirSync(directory);
  if (isRoot()) {
    await run("chown", ["postgres:", directory]);
    chmodSync(dirname(directory), 0o755);
  }
  const initial = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"];
  const initdb = unprivileged(join(programs, "initdb"), [...initial, "--pgdata", data]);
  await run(...initdb, { cwd: directory });
  const port = await freePort();
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "logging_collector=on",
  ];
  const [program, parameters] = unprivileged(join(programs, "postgres"), [
    ...["-D", data, "-p", String(port)],
    ...settings.flatMap((setting) => ["-c", setting]),
  ]);
  const server = spawn(program, parameters, { cwd: directory, stdio: "ignore" });
  const ended = once(server, "exit");
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  await untilItAnswers(url, server);
  const stop = async () => {
    server.kill("SIGINT");
    await ended;
  };
  return { url, stop };
}

/** PostgreSQL refuses to run as root. */
function unprivileged(program, parameters) {
  if (process.platform !== "linux") return [program, parameters];
  const user = isRoot() ? ["--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
  return ["setpriv", [...user, "--pdeathsig=QUIT", program, ...parameters]];
}

async function untilItAnswers(url, server) {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      await query(url, "SELECT 1");
      return;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
