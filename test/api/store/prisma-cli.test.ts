import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { openDatabase } from "../../../src/store/database/open.js";
import { recordingLog } from "../../support/log.js";
import { createDatabase } from "../../support/postgres.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const command = join(root, "node_modules/prisma/build/index.js");

async function prisma(parameters: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { cwd: root, env: { ...process.env, ...env } };
  const run = promisify(execFile);
  const { stdout, stderr } = await run(process.execPath, [command, ...parameters], options);
  expect(stderr).not.toMatch(/error|unknown/i);
  return stdout;
}

function newPostgres(): Promise<string> {
  const { postgres } = inject("databaseTemplates");
  if ("missing" in postgres) throw new Error(postgres.missing);
  return createDatabase(postgres.adminUrl);
}

test("the migrations and the schema say the same", async () => {
  const diff = ["migrate", "diff", "--from-migrations", "prisma/migrations"];
  const schema = ["--to-schema", "prisma/schema.prisma"];
  expect(await prisma([...diff, ...schema, "--exit-code"])).toContain("No difference detected");
  expect(await prisma(["migrate", "diff", "--from-empty", ...schema, "--script"])).toContain(
    'CREATE TABLE "vpc"',
  );
});

test("Prisma sees what the daemon has migrated as up to date", async () => {
  const databaseUrl = await newPostgres();
  const dataDir = mkdtempSync(join(tmpdir(), "patchbay-test-"));
  await (await openDatabase({ databaseUrl, dataDir, log: recordingLog() })).close();
  rmSync(dataDir, { recursive: true });
  const status = await prisma(["migrate", "status"], { DATABASE_URL: databaseUrl });
  expect(status).toContain("Database schema is up to date!");
});

test("the daemon accepts what Prisma has deployed", async () => {
  const databaseUrl = await newPostgres();
  await prisma(["migrate", "deploy"], { DATABASE_URL: databaseUrl });
  const dataDir = mkdtempSync(join(tmpdir(), "patchbay-test-"));
  const log = recordingLog();
  const database = await openDatabase({ databaseUrl, dataDir, log });
  expect(log.lines).toEqual([]);
  expect(await database.client.tenant.count()).toBe(0);
  await database.close();
  rmSync(dataDir, { recursive: true });
});
