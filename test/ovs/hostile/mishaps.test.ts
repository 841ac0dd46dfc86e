import { afterAll, beforeAll, expect, it } from "vitest";
import { waitFor } from "../../support/rest.js";
import { explainFailures } from "../e2e/diagnosis.js";
import {
  dryRun,
  expectNoLeak,
  only,
  type Report,
  type Scene,
  type Setting,
  startScene,
} from "../e2e/resilience-scene.js";
import { MISHAPS } from "./mishaps.js";

/** The switch tells of changes: nothing here waits for a comparison, which is due in an hour. */
const RESYNC_SECONDS = 3600;
const HEALING_LIMIT_MS = 15_000;
/** Frames that arrive in a row once all is well. */
const ENOUGH = 5;

const isLong = process.env["PATCHBAY_HOSTILE_LONG"] === "true";
const chosen = MISHAPS.filter(({ long }) => isLong || long === undefined);

let scene: Scene;

beforeAll(async () => {
  scene = await startScene(RESYNC_SECONDS);
});

explainFailures(() => scene?.world);

afterAll(() => scene?.world.dispose());

it.each(chosen)("$what", async ({ cause, undo, reported }) => {
  await cause(scene);
  try {
    const report = await untilPutRight();
    if (reported !== undefined) await expectReported(reported, report);
  } finally {
    await undo?.(scene);
  }
  await untilPutRight();
  await untilLive();
  await expectNoLeak(scene);
});

/** Waits until the switch is as intended, but for what may not be touched. */
async function untilPutRight(): Promise<Report> {
  let last: Report | undefined;
  const isRight = async () => {
    // While ovs-vswitchd or the daemon is away there is nobody to ask.
    last = await dryRun(scene.world).catch(() => undefined);
    return last?.bridges.every(isAsIntended) && last;
  };
  return await waitFor(isRight, HEALING_LIMIT_MS, "the switch to be as intended").catch((error) => {
    throw new Error(`${JSON.stringify(last, null, 1)}`, { cause: error });
  });
}

function isAsIntended(bridge: Report["bridges"][number]): boolean {
  const { missing, changed, unexpected, settings, error } = bridge;
  const wanting = settings.filter(({ wanted }) => wanted !== null);
  const all = [...missing, ...changed, ...unexpected, ...wanting];
  return error === null && all.length === 0;
}

async function expectReported(setting: string, report: Report): Promise<void> {
  const isIt = (each: Setting) => each.setting === setting && each.wanted === null;
  expect(report.bridges.flatMap(({ settings }) => settings).some(isIt)).toBe(true);
  const isShown = async () => {
    const path = "/data-plane";
    const { bridges } = await scene.world.operator.get<Pick<Report, "bridges">>(path);
    return bridges.flatMap(({ settings }) => settings).some(isIt);
  };
  await waitFor(isShown, HEALING_LIMIT_MS, `${setting} to be shown`);
}

async function untilLive(): Promise<void> {
  const receiver = only(scene.b);
  const before = receiver.seen("live").count;
  const arrive = () => receiver.seen("live").count >= before + ENOUGH;
  await waitFor(arrive, HEALING_LIMIT_MS, "the prober's frames");
}
