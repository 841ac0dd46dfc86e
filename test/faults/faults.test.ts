import { appendFile, writeFile } from "node:fs/promises";
import { afterAll, expect, it } from "vitest";
import { readOptions } from "./options.js";
import { digestOf, reportOf } from "./report.js";
import { runFaults } from "./run.js";
import { NOTHING_FOUND, newSummary, type Summary } from "./summary.js";
import { startWorld } from "./world.js";

const DATABASES = ["embedded", "PostgreSQL"] as const;
const SHORT_LIMIT_MINUTES = 10;
const START_AND_END_MINUTES = 6;
const LOG_CHARACTERS = 20_000;
const DIARY_LINES = 20;

const options = readOptions();
const minutes = options.minutes === undefined ? undefined : options.minutes / DATABASES.length;
const timeout = ((minutes ?? SHORT_LIMIT_MINUTES) + START_AND_END_MINUTES) * 60_000;

const summaries: Summary[] = [];

afterAll(() => console.log(`${options.command}\n${reportOf(summaries)}`));

it.each(DATABASES)("keeps its promises under faults: %s", { timeout }, async (database) => {
  console.log(`To repeat: ${options.command}`);
  const summary = newSummary(database, options.command);
  const world = await startWorld(database);
  summaries.push(summary);
  try {
    await runFaults(world, options, minutes, summary);
    const { leaks, lostWrites, strayWrites, lateRecoveries, differences, orphans } = summary;
    const { internalErrors } = summary.calls;
    const found = {
      leaks,
      lostWrites,
      strayWrites,
      lateRecoveries,
      differences,
      orphans,
      internalErrors,
    };
    expect(found, `to repeat: ${options.command}`).toEqual({
      ...NOTHING_FOUND,
      internalErrors: 0,
    });
    expect(summary.probesArrived).toBeGreaterThan(0);
  } catch (error) {
    console.error(world.diary.slice(-DIARY_LINES).join("\n"));
    console.error(world.daemon.log().slice(-LOG_CHARACTERS));
    console.error(`To repeat: ${options.command}`);
    throw error;
  } finally {
    if (options.out !== undefined) {
      await appendFile(options.out, `${JSON.stringify(digestOf(summary))}\n`);
      const text = [...world.diary, "", world.daemon.log()].join("\n");
      await writeFile(`${options.out}.${database}.log`, text);
    }
    await world.dispose();
  }
});
