import type { MigrationConnection } from "./migrate.js";

/** What a database says of whose it is, read before anything is written to it. */
export type DatabaseFacts =
  /** Embedded: there is no database yet. */
  | { readonly state: "absent" }
  /** No installation has begun in it. */
  | { readonly state: "empty" }
  /** It has tenants or access keys, and does not say of which installation. */
  | { readonly state: "nameless" }
  | InstalledFacts;

export interface InstalledFacts {
  readonly state: "installed";
  readonly installationId: string;
  readonly backend: "ovs" | null;
  /** Sealed texts with their owners: whoever has the key can open each of them. */
  readonly sealed: readonly SealedText[];
}

export interface SealedText {
  readonly owner: string;
  readonly text: Uint8Array;
}

export const KEY_CHECK_OWNER = "installation";

interface InstallationRow {
  readonly id: string;
  readonly check: Uint8Array | null;
  readonly backend: string | null;
}

const selectInstallation = `SELECT installation_id AS id, key_check AS check, backend
  FROM "installation"`;

const selectAccessKey = `SELECT id AS owner, encrypted_secret AS text
  FROM "access_key" ORDER BY number LIMIT 1`;

/** Only reads. */
export async function readDatabaseFacts(connection: MigrationConnection): Promise<DatabaseFacts> {
  const row = await installationRow(connection);
  if (row === undefined) return { state: (await isUsed(connection)) ? "nameless" : "empty" };
  return {
    state: "installed",
    installationId: row.id,
    backend: row.backend === "ovs" ? "ovs" : null,
    sealed: await sealedTexts(connection, row),
  };
}

async function installationRow(
  connection: MigrationConnection,
): Promise<InstallationRow | undefined> {
  if (!(await hasTable(connection, "installation"))) return undefined;
  const [row] = await connection.query<InstallationRow>(selectInstallation, []);
  return row;
}

async function isUsed(connection: MigrationConnection): Promise<boolean> {
  for (const table of ["tenant", "access_key"]) {
    if (!(await hasTable(connection, table))) continue;
    const rows = await connection.query(`SELECT 1 FROM "${table}" LIMIT 1`, []);
    if (rows.length > 0) return true;
  }
  return false;
}

/** One is enough; an access key may be damaged, and is not the key's fault then. */
async function sealedTexts(
  connection: MigrationConnection,
  { check }: InstallationRow,
): Promise<readonly SealedText[]> {
  if (check !== null) return [{ owner: KEY_CHECK_OWNER, text: check }];
  return connection.query<SealedText>(selectAccessKey, []);
}

async function hasTable(connection: MigrationConnection, name: string): Promise<boolean> {
  const sql = `SELECT to_regclass($1) IS NOT NULL AS "isThere"`;
  const [table] = await connection.query<{ isThere: boolean }>(sql, [`"${name}"`]);
  return table?.isThere ?? false;
}
