import path from "node:path";
import { defineConfig } from "prisma/config";

// By default every command of the CLI downloads an engine. This one is in the packages already.
process.env["PRISMA_SCHEMA_ENGINE_BINARY"] ??= path.resolve(
  import.meta.dirname,
  "scripts/schema-engine.mjs",
);
process.env["PRISMA_HIDE_UPDATE_MESSAGE"] ??= "1";

// The engine opens the embedded database when DATABASE_URL is unset; the CLI insists on some URL.
const embedded = "postgresql://embedded/patchbay";

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  datasource: { url: process.env["DATABASE_URL"] ?? embedded },
});
