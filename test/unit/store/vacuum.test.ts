import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { scheduleVacuum } from "../../../src/store/database/vacuum.js";
import { recordingLog } from "../../support/log.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("vacuums every hour until it is stopped", async () => {
  const exec = vi.fn<() => Promise<[]>>(async () => []);
  const vacuum = scheduleVacuum({ exec }, recordingLog());
  await vi.advanceTimersByTimeAsync(2 * 3_600_000);
  expect(exec.mock.calls).toEqual([["VACUUM (ANALYZE)"], ["VACUUM (ANALYZE)"]]);
  vacuum.stop();
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(exec).toHaveBeenCalledTimes(2);
});

test("logs a failure and goes on", async () => {
  const log = recordingLog();
  const failure = new Error("PGlite is closed");
  const exec = vi.fn<() => Promise<[]>>(async () => Promise.reject(failure));
  scheduleVacuum({ exec }, log, 1000);
  await vi.advanceTimersByTimeAsync(2000);
  expect(log.lines.map(({ level, details }) => ({ level, details }))).toEqual([
    { level: "error", details: { err: failure } },
    { level: "error", details: { err: failure } },
  ]);
});
