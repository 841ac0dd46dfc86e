import { setTimeout as pause } from "node:timers/promises";
import { writeKeyUses } from "../services/access-keys.js";
import type { ServiceContext } from "../services/context.js";

/** The end is not held up for the sake of some times. */
const LIMIT_MS = 2000;

/** Writes when access keys were used last. @throws Error when the database does not take it in time */
export async function writeLastKeyUses(context: ServiceContext): Promise<void> {
  const late = pause(LIMIT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`the database has not taken the uses of access keys within ${LIMIT_MS} ms`);
  });
  await Promise.race([writeKeyUses(context), late]);
}
