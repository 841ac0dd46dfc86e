import { pino } from "pino";
import { expect, it, vi } from "vitest";
import { createMetrics } from "../../../src/api/metrics.js";
import { createServer } from "../../../src/api/server.js";
import { eniId, slice, vpcIntent } from "../../support/intents.js";
import { patient } from "../../support/patience.js";
import { uniqueName } from "../../support/sandbox.js";
import { view } from "../../unit/api/fixtures.js";
import { ALL_WELL, eventually, stageForAll } from "./fixture.js";

vi.setConfig({ testTimeout: patient(180_000) });

const BRIDGES = 30;
const ROUNDS = 11;

const stage = stageForAll();

it(`scrapes ${BRIDGES} bridges with an interface each, and says how long it took`, async () => {
  const { backend, names } = stage.installation;
  const numbers = Array.from({ length: BRIDGES }, (_, index) => index + 1);
  const everything = slice(
    "all",
    numbers.map((n) => vpcIntent(n, 1)),
  );
  expect(await stage.installation.reconcile(everything)).toMatchObject(ALL_WELL);
  const plugs = numbers.flatMap((n) => {
    const port = uniqueName("pbv");
    const claim = ["type=internal", `external_ids:iface-id=${eniId(n)}`];
    return ["--", "add-port", names.vpcBridge(n), port, "--", "set", "Interface", port, ...claim];
  });
  await stage.sandbox.vsctl(...plugs);
  // Nobody sets these devices up: their ports are dead, and have their flows all the same.
  await eventually(() => numbers.every((n) => backend.binding(eniId(n)).kind === "dead"));
  expect(await stage.installation.reconcile(everything)).toMatchObject(ALL_WELL);

  const surveys: number[] = [];
  const singles: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    surveys.push(
      await timed(async () => {
        expect(await backend.surveyDrops()).toMatchObject({ complete: true });
      }),
    );
    singles.push(
      await timed(async () => {
        expect(await backend.dropsOf(eniId(round + 1))).not.toBeNull();
      }),
    );
  }
  const activity = {
    counters: () => ({
      passes: 0,
      failures: 0,
      drift: 0,
      foreignFlows: 0,
      watchedBridges: 0,
      unreadBridges: 0,
    }),
    switchError: undefined,
  };
  const surveyed = view({ surveyDrops: () => backend.surveyDrops() });
  const app = createServer(pino({ level: "silent" }), {});
  const metrics = createMetrics(app, surveyed, activity, { running: 0, waiting: 0 });
  let text = "";
  const scrape = async () => {
    text = await metrics.text();
  };
  const first = await timed(scrape);
  const next = await timed(scrape);
  expect(text).toContain("patchbay_drop_counters_up 1\n");
  expect(text).not.toContain("patchbay_dropped_packets_total{");
  report(`all counters ${median(surveys)} ms, one interface ${median(singles)} ms (of ${ROUNDS})`);
  report(`scrape ${first.toFixed(1)} ms, the next one ${next.toFixed(1)} ms`);
});

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: number[]): string {
  return (values.sort((x, y) => x - y)[values.length >> 1] ?? 0).toFixed(1);
}

function report(line: string): void {
  process.stdout.write(`  ${line}\n`);
}
