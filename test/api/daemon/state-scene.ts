import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { pino } from "pino";
import { loadConfig } from "../../../src/config.js";
import { Lifetime } from "../../../src/daemon/lifetime.js";
import type { Consent } from "../../../src/daemon/state/judge.js";
import { openState } from "../../../src/daemon/state/open-state.js";
import type { FreshDatabase } from "../../support/databases.js";

type Place = Pick<FreshDatabase, "dataDir" | "databaseUrl">;

/** What starting on a data directory and a database came to. */
export interface Start {
  readonly installationId: string;
  readonly announced: string;
}

/** Opens everything as a starting daemon does, without a switch unless `env` has one, and ends. */
export async function start(
  { dataDir, databaseUrl }: Place,
  { consent, env = {} }: { consent?: Consent; env?: Readonly<Record<string, string>> } = {},
): Promise<Start> {
  const config = loadConfig({
    PATCHBAY_DATA_DIR: dataDir,
    PATCHBAY_BACKEND: "noop",
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    ...env,
  });
  const log = pino({ level: "silent" });
  const lifetime = new Lifetime();
  let announced = "";
  const announce = (text: string) => {
    announced += text;
  };
  const { signal } = new AbortController();
  try {
    const surroundings = { log, signal, announce, consent, fail: () => undefined };
    const { installation } = await openState(config, surroundings, lifetime);
    return { installationId: installation.installationId, announced };
  } finally {
    await lifetime.end(log);
  }
}

/** Every file below a folder with its contents, but for what `leftOut` names. */
export function contentsOf(folder: string, leftOut: readonly string[] = []): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (leftOut.some((each) => name === each || name.startsWith(`${each}/`))) continue;
    const path = join(folder, name);
    found.set(name, statSync(path).isDirectory() ? "" : readFileSync(path, "base64"));
  }
  return found;
}

/** Every row of every table of a PostgreSQL database. */
export async function rowsOf(databaseUrl: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const named = `SELECT relname FROM pg_stat_user_tables ORDER BY relname`;
    const { rows } = await client.query<{ relname: string }>(named);
    const all: Record<string, unknown> = {};
    for (const { relname } of rows) {
      all[relname] = (await client.query(`SELECT t::text FROM "${relname}" t ORDER BY 1`)).rows;
    }
    return all;
  } finally {
    await client.end();
  }
}
