/**
 * How many times longer than on a machine of its own anything may take, by TEST_PATIENCE; 1 unless
 * given. It stretches limits after which a test fails, and nothing that a test measures.
 */
const PATIENCE = readPatience(process.env["TEST_PATIENCE"] || "1");

/** @returns a limit in milliseconds, as long as it is here */
export const patient = (limitMs: number): number => limitMs * PATIENCE;

function readPatience(text: string): number {
  const times = Number(text);
  if (!(times >= 1)) throw new Error(`TEST_PATIENCE=${text} is no number of times`);
  return times;
}
