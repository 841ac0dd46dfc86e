#!/usr/bin/env node
// The schema engine of the Prisma CLI, without a download: its WebAssembly build behind the JSON-RPC
// (one message a line, over stdio) that the CLI speaks to the native one. Shadow databases are
// PGlite in memory; the database itself is DATABASE_URL or, without it, the embedded one.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as wasm from "@prisma/schema-engine-wasm/schema_engine_bg";
import { connectToMain, connectToShadow } from "./lib/schema-engine-databases.mjs";

/** JSON-RPC: an error that carries a message for the user in `data`. */
const USER_FACING_ERROR = 4466;

async function loadEngine() {
  const glue = createRequire(import.meta.url).resolve(
    "@prisma/schema-engine-wasm/schema_engine_bg",
  );
  const bytes = await readFile(glue.replace(/\.js$/, ".wasm"));
  const { instance } = await WebAssembly.instantiate(bytes, { "./schema_engine_bg.js": wasm });
  wasm.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

async function readDatamodels(paths) {
  const read = async (path) => [path, await readFile(path, "utf8")];
  return paths === undefined ? undefined : Promise.all(paths.map(read));
}

function adapterFor(method) {
  return bindMigrationAwareSqlAdapterFactory({
    provider: "postgres",
    adapterName: "patchbay",
    connect: () => connectToMain(method),
    connectToShadowDb: connectToShadow,
  });
}

async function newEngine(datamodels, adapter) {
  await loadEngine();
  return wasm.SchemaEngine.new({ datamodels }, () => {}, adapter);
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

function sendResult(id, method, result) {
  // The native engine asks the CLI to print a diff, by a request of its own.
  if (method === "diff" && typeof result?.stdout === "string") {
    send({ id: id + 100_000, method: "print", params: { content: result.stdout } });
  }
  send({ id, result: result ?? null });
}

/** What failed outside the engine it knows by number only; the adapter kept the error. */
function messageOf(error, adapter) {
  const message = error instanceof Error ? error.message : String(error);
  const number = /External error id#(\d+)/.exec(message)?.[1];
  const kept = number && adapter?.errorRegistry.consumeError(Number(number));
  return kept ? `${String(kept.error)}\n${message}` : message;
}

function sendError(id, error, adapter) {
  const { code = null, meta = null } = Object(error);
  const message = messageOf(error, adapter);
  const data = { is_panic: false, message, error_code: code, meta };
  send({ id, error: { code: USER_FACING_ERROR, message: "error", data } });
}

async function serve(datamodels) {
  let engine;
  let adapter;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === "") continue;
    const { id, method, params } = JSON.parse(line);
    if (method === undefined) continue; // the CLI's answer to "print"
    try {
      adapter ??= adapterFor(method);
      engine ??= await newEngine(datamodels, adapter);
      if (typeof engine[method] !== "function") throw new Error(`no such method: ${method}`);
      sendResult(id, method, await engine[method](params));
    } catch (error) {
      sendError(id, error, adapter);
    }
  }
}

const { values, positionals } = parseArgs({
  strict: false,
  allowPositionals: true,
  options: { datamodels: { type: "string", multiple: true } },
});
// "cli can-connect-to-database" and the like: each command connects by itself, and says so if not.
if (!positionals.includes("cli")) await serve(await readDatamodels(values.datamodels));
process.exit(0);
