/**
 * How long the model-based tests run and from where:
 * PATCHBAY_TEST_MODEL_RUNS multiplies the number of runs (half of them for each change);
 * PATCHBAY_TEST_MODEL_SEED repeats the runs of an earlier seed, as printed on failure.
 */
const factor = Number(process.env["PATCHBAY_TEST_MODEL_RUNS"] ?? 0.5);
const seed = process.env["PATCHBAY_TEST_MODEL_SEED"];

const PROPERTY_LIMIT_MS = 240_000 * Math.max(1, factor);

/** Long enough for a failure to be made smaller, which takes many runs more. */
export const TEST_LIMIT_MS = 2 * PROPERTY_LIMIT_MS;

export function runParameters(runs: number) {
  return {
    numRuns: Math.ceil(runs * factor),
    interruptAfterTimeLimit: PROPERTY_LIMIT_MS,
    ...(seed !== undefined && { seed: Number(seed) }),
  };
}
