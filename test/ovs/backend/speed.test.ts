import { expect, it, vi } from "vitest";
import { peeringIntent, scopeOf, slice, vpcIntent } from "../../support/intents.js";
import { patient } from "../../support/patience.js";
import { ALL_WELL, stageForAll, watched } from "./fixture.js";

vi.setConfig({ testTimeout: patient(180_000) });

const VPCS = 100;
const ROUNDS = 21;

const stage = stageForAll();

it(`admits and cuts a peering among ${VPCS} VPCs, and says how long it took`, async () => {
  const vpcs = Array.from({ length: VPCS }, (_, index) => vpcIntent(index + 1, 1));
  const start = performance.now();
  expect(await stage.installation.reconcile(slice("all", vpcs))).toMatchObject(ALL_WELL);
  const made = performance.now() - start;
  // A bridge that has just come under watch is read once; nobody waits for that later.
  await watched(stage.installation, VPCS + 1);
  expect(await stage.installation.reconcile(slice("all", vpcs))).toMatchObject(ALL_WELL);
  const opened: number[] = [];
  const cut: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const [a, b] = [round, round + 1];
    const scope = scopeOf(a, b);
    const peering = peeringIntent(round, a, b);
    opened.push(
      await timed(async () => {
        const { installedPeerings } = await stage.installation.reconcile(
          slice(scope, vpcs, [peering]),
        );
        expect(installedPeerings).toEqual([peering.id]);
      }),
    );
    const leaving = { ...peering, admitted: false };
    cut.push(
      await timed(async () => {
        const { removedPeerings } = await stage.installation.reconcile(
          slice(scope, vpcs, [leaving]),
        );
        expect(removedPeerings).toEqual([peering.id]);
      }),
    );
  }
  report(`${VPCS} VPCs made in ${made.toFixed(0)} ms`);
  report(`accept ${median(opened)} ms, delete ${median(cut)} ms (median of ${ROUNDS})`);
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
