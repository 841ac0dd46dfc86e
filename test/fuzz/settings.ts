/**
 * FUZZ_SEED repeats the draws of an earlier run, FUZZ_CALLS says how many calls are made. Ids and
 * times are the daemon's own, so a run is repeated in kind and not to the letter.
 */
export function fuzzSettings(defaults: { readonly calls: number; readonly seed: number }) {
  const { FUZZ_SEED, FUZZ_CALLS } = process.env;
  return {
    seed: Number(FUZZ_SEED ?? defaults.seed),
    calls: Number(FUZZ_CALLS ?? defaults.calls),
  };
}
