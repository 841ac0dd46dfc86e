import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeDatabase } from "../lib/bench-postgres.mjs";
import { sleep } from "../lib/process.mjs";
import { measureWhileComparing } from "./comparing.mjs";
import { ScaleDaemon } from "./daemon.mjs";
import { measureHotPath } from "./hot-path.mjs";
import { seedScale } from "./seed.mjs";
import { memoryOf } from "./usage.mjs";

const SMALL = { vpcs: 10, peerings: 10, interfaces: 200 };
const RUNS_WHILE_COMPARING = 10;
/** Until what was asked of a process after its start, such as to collect its garbage, is done. */
const SETTLE_MS = 1500;

/** What little and much that is stored costs, with the no-op backend. @param bench `undo`, `dir` */
export async function measureStored(bench, engine) {
  const { options, progress } = bench;
  const { vpcs, peerings, interfaces } = options;
  const sizes = { small: SMALL, large: { vpcs, peerings, interfaces } };
  const sides = [];
  for (const [name, size] of Object.entries(sizes)) {
    progress(`${engine}, ${name}: seeding and starting`);
    sides.push(await makeSide(bench, engine, name, size));
  }
  progress(`${engine}: ${options.runs} peerings in each case`);
  const hotPath = await measureHotPath(sides, options.runs);
  progress(`${engine}: peerings while everything is compared`);
  const comparing = await measureWhileComparing(sides[1], RUNS_WHILE_COMPARING);
  const starts = sides.map(({ name, size, start, memory, daemon }) => ({
    ...{ name, size, ...start, ...memory },
    peakMiB: memoryOf(daemon.pid).peakMiB,
  }));
  for (const { daemon } of sides) await daemon.stop();
  return { engine, hotPath, comparing, starts };
}

async function makeSide(bench, engine, name, size) {
  const daemon = await makeDaemon(bench, engine, name);
  await daemon.start();
  await daemon.tenant();
  await daemon.whileDown((db) => seedScale(db, daemon.tenantId, size));
  const start = await daemon.start();
  const { rssMiB } = memoryOf(daemon.pid);
  daemon.collectGarbage();
  await sleep(SETTLE_MS);
  const memory = { startedMiB: rssMiB, collectedMiB: memoryOf(daemon.pid).rssMiB };
  return { name, size, daemon, start, memory };
}

async function makeDaemon({ undo, dir, options }, engine, name) {
  const dataDir = join(dir, `${engine}-${name}`);
  mkdirSync(dataDir, { mode: 0o700 });
  const place = engine === "postgres" ? await makeDatabase() : undefined;
  if (place !== undefined) undo.add(() => place.remove());
  const { databaseUrl } = place ?? {};
  const daemon = new ScaleDaemon({ dataDir, databaseUrl, profileDir: options.profile });
  undo.add(() => daemon.stop());
  return daemon;
}
