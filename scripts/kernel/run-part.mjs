import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { CommandError } from "../lib/process.mjs";
import { out } from "../lib/terminal.mjs";
import { runTier } from "../lib/tiers.mjs";
import { runInGuest } from "./guest.mjs";
import { CHOSEN, notRun } from "./parts.mjs";

const MINUTES = 60_000;

/** Each runs in guests of its own; `jobs` yields what is run in each of them, side by side. */
export const PARTS = {
  packets: { title: "packets on the kernel datapath", jobs: packetJobs },
  demo: {
    title: "npm run up and the demonstration",
    jobs: () => [{ script: "exec bash test/kernel/guest/demo.sh", limitMs: 5 * MINUTES }],
  },
  service: {
    title: "the service, and a reboot",
    jobs: () => [
      { script: "exec bash test/kernel/guest/service.sh", init: "systemd", limitMs: 10 * MINUTES },
    ],
  },
};

/** @param {{ files: string[], all: boolean }} choice without either: CHOSEN */
function packetJobs({ files, all }) {
  return selections(files, all).map((selection) => ({
    script: `exec node scripts/kernel/packets.mjs ${selection.join(" ")}`,
    limitMs: 60 * MINUTES,
  }));
}

function selections(files, all) {
  if (files.length > 0) return [files];
  if (!all) return CHOSEN;
  const exclude = notRun().flatMap(({ file }) => ["--exclude", file]);
  return CHOSEN.map((_, index) => [...exclude, `--shard=${index + 1}/${CHOSEN.length}`]);
}

/**
 * @param {{ boot: object, choice: object, signal: AbortSignal }} context `boot.guest` is set to what
 *   the guest says it is
 * @returns {Promise<import("../lib/tiers.mjs").Outcome[]>} one for each guest
 */
export function runPart(name, { boot, choice, signal }) {
  const { title, jobs } = PARTS[name];
  const all = jobs(choice);
  return Promise.all(
    all.map((job, index) => {
      const tier = all.length === 1 ? title : `${title}, ${index + 1} of ${all.length}`;
      const prefix = all.length === 1 ? "" : `${index + 1}| `;
      const onLine = (line) => out(`${prefix}${line}`);
      const processor = index % availableParallelism();
      return runTier(tier, () => runJob(boot, { ...job, processor, onLine, signal }));
    }),
  );
}

async function runJob(boot, job) {
  const lines = [];
  const onLine = (line) => {
    lines.push(line);
    job.onLine(line);
  };
  const { code, collected } = await runInGuest(boot, { ...job, onLine }, readAnswers);
  const { guest, answer } = collected;
  boot.guest = guest;
  if (code === 0) return answer?.detail ?? `${lines.filter(isCheck).length} checks`;
  const failures = answer?.failures ?? lines.filter((line) => line.startsWith("FAILED"));
  throw Object.assign(new CommandError("the guest's job", [], code), { failures });
}

const isCheck = (line) => line.startsWith("ok ");

const readAnswers = (share) => ({
  guest: readJson(join(share, "guest.json")),
  answer: readJson(join(share, "answer.json")),
});

const readJson = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined);
