import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hexadecimal, as Prisma computes it. */
  readonly checksum: string;
}

/** The package's own history. This file is three folders deep both in src/ and in dist/. */
export const migrationsDirectory = fileURLToPath(
  new URL("../../../prisma/migrations", import.meta.url),
);

/** `directory` holds one folder a migration with its `migration.sql`, as Prisma lays them out. */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(names.sort().map((name) => readMigration(directory, name)));
}

async function readMigration(directory: string, name: string): Promise<Migration> {
  const content = await readFile(join(directory, name, "migration.sql"));
  const checksum = createHash("sha256").update(content).digest("hex");
  return { name, sql: content.toString("utf8"), checksum };
}
