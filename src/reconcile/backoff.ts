const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 10_000;

/** Delay before attempt `failures + 1`: doubling, bounded, with "equal jitter" of one half. */
export function backoffDelay(failures: number, random: () => number): number {
  const bound = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.max(0, failures - 1));
  return bound / 2 + (random() * bound) / 2;
}
