import autocannon from "autocannon";

/** Clients that ask at once, each the next thing as soon as it is answered. */
export const CLIENTS = 16;

/** An answer that comes late is slow, and no error. */
const TIMEOUT_SECONDS = 60;

/** How often it looks whether all are answered. */
const SAMPLE_MS = 100;

/**
 * Asks for one thing again and again.
 * @param {{ url: string, amount: number, status: number } & object} load `amount` of requests in
 *   all; any answer but `status` is an error; the rest goes to autocannon
 * @returns {Promise<number>} answers a second
 */
export async function requestsPerSecond({ amount, status, ...options }) {
  const load = autocannon({
    connections: CLIENTS,
    timeout: TIMEOUT_SECONDS,
    sampleInt: SAMPLE_MS,
    amount,
    ...options,
  });
  // It ends with a sample, and says how long it took until then: longer than until the last answer.
  const start = performance.now();
  let last = start;
  load.on("response", () => {
    last = performance.now();
  });
  const { statusCodeStats, errors, timeouts } = await load;
  const seconds = (last - start) / 1000;
  const answered = statusCodeStats[status]?.count ?? 0;
  if (answered !== amount) {
    const found = JSON.stringify({ statusCodeStats, errors, timeouts });
    throw new Error(`${answered} of ${amount} requests were answered with ${status}: ${found}`);
  }
  return amount / seconds;
}
