import type { TestApi } from "./api.js";
import { waitFor } from "./rest.js";

const LIMIT_MS = 20_000;

export interface CallCounts {
  readonly running: number;
  readonly waiting: number;
}

/** As the metrics tell. */
export async function countTurns(api: TestApi): Promise<CallCounts> {
  const { body } = await api.call(api.operatorToken, "GET", "/metrics");
  const count = (name: keyof CallCounts) =>
    Number(new RegExp(`^patchbay_calls_${name} (\\d+)$`, "m").exec(String(body))?.[1]);
  return { running: count("running"), waiting: count("waiting") };
}

/** Waits until so many calls have their turn with the database, and so many wait for it. */
export async function untilTurns(api: TestApi, wanted: CallCounts): Promise<void> {
  const isSo = async () => {
    const { running, waiting } = await countTurns(api);
    return running === wanted.running && waiting === wanted.waiting;
  };
  await waitFor(isSo, LIMIT_MS, `${JSON.stringify(wanted)} calls`);
}
