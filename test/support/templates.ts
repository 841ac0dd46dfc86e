import { openDatabase } from "../../src/store/database/open.js";
import type { PostgresServer } from "./postgres.js";

/** A database without connections that others are copied from. */
export interface PostgresTemplate {
  /** Of the database in which others are created. */
  readonly adminUrl: string;
  readonly template: string;
}

const ignore = () => undefined;
const log = { info: ignore, warn: ignore, error: ignore };

/** Makes the embedded database of a data directory. */
export async function migrateEmbedded(dataDir: string): Promise<void> {
  const database = await openDatabase({ dataDir, log });
  await database.close();
}

export async function migratePostgres(
  server: PostgresServer,
  dataDir: string,
): Promise<PostgresTemplate> {
  const databaseUrl = await server.createDatabase();
  const database = await openDatabase({ databaseUrl, dataDir, log });
  await database.close();
  return { adminUrl: server.url("postgres"), template: new URL(databaseUrl).pathname.slice(1) };
}
