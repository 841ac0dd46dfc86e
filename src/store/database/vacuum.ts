import type { PGlite } from "@electric-sql/pglite";
import type { StoreLog } from "./engine.js";

const intervalMs = 3_600_000;

/** PGlite runs no background workers, so nothing else removes dead rows or renews statistics. */
export function scheduleVacuum(
  database: Pick<PGlite, "exec">,
  log: StoreLog,
  everyMs: number = intervalMs,
): { stop(): void } {
  const vacuum = async () => {
    try {
      await database.exec("VACUUM (ANALYZE)");
    } catch (error) {
      log.error({ err: error }, "the embedded database could not be vacuumed");
    }
  };
  const timer = setInterval(() => void vacuum(), everyMs).unref();
  return { stop: () => clearInterval(timer) };
}
