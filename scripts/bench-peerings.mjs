#!/usr/bin/env node
// Prints what peerings cost at the database: checks, lists, and accepts that conflict.
// Usage: [DATABASE_URL=postgresql://…] node scripts/bench-peerings.mjs [RUNS]     (build first)
import { randomBytes } from "node:crypto";
import { permissionsOf } from "../dist/domain/permissions.js";
import { DEFAULT_QUOTAS } from "../dist/domain/quotas.js";
import { DEFAULT_EVENT_RETENTION } from "../dist/domain/retention.js";
import { Credentials } from "../dist/services/credentials/credentials.js";
import { SecretBox } from "../dist/services/secrets.js";
import { openDatabase } from "../dist/store/database/open.js";
import { measureChecks } from "./lib/bench-checks.mjs";
import { measureConflicts } from "./lib/bench-conflicts.mjs";
import { measurePages } from "./lib/bench-pages.mjs";
import { makeDatabase } from "./lib/bench-postgres.mjs";
import { bold, note, out } from "./lib/terminal.mjs";

const runs = Number(process.argv[2] ?? 25);
const silent = { info() {}, warn() {}, error() {} };

function makeContext(db) {
  const secrets = new SecretBox(randomBytes(32));
  return {
    db,
    clock: () => new Date(),
    waker: { wake() {} },
    settlements: { closed: true, next: async () => {} },
    secrets,
    credentials: new Credentials(db, secrets),
    operatorToken: "unused",
    peeringExpirySeconds: 604_800,
    quotas: DEFAULT_QUOTAS,
    eventRetention: DEFAULT_EVENT_RETENTION,
  };
}

function admin(tenantId) {
  return { tenantId, roles: ["admin"], permissions: new Set(permissionsOf(["admin"])) };
}

async function main() {
  const place = await makeDatabase();
  try {
    const database = await openDatabase({ ...place, log: silent });
    out(bold(`${place.engine}, medians of ${runs} runs; the switch takes no part\n`));
    const bench = { ...place, context: makeContext(database.client), admin, runs };
    try {
      await measureChecks(bench);
      await measurePages(bench);
      await measureConflicts(bench);
    } finally {
      await database.close();
    }
  } finally {
    await place.remove();
  }
}

main().catch((error) => {
  note(error.stack ?? String(error));
  process.exitCode = 1;
});
