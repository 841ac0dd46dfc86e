/**
 * How long the model-based tests run and from where:
 * PATCHBAY_TEST_MODEL_RUNS multiplies the number of runs (default 1);
 * PATCHBAY_TEST_MODEL_SEED repeats the runs of an earlier seed, as printed on failure.
 */
const factor = Number(process.env["PATCHBAY_TEST_MODEL_RUNS"] ?? 1);
const seed = process.env["PATCHBAY_TEST_MODEL_SEED"];

export function runParameters(runs: number) {
  return {
    numRuns: Math.ceil(runs * factor),
    ...(seed !== undefined && { seed: Number(seed) }),
  };
}

/** Shrinking a failure takes many runs more. */
export const TIME_LIMIT_MS = 120_000 * Math.max(1, factor);
