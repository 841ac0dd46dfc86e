import { RefusedError } from "./daemon/startup-error.js";
import { WrongKeyError } from "./services/key-check.js";
import { DamagedDatabaseError } from "./store/database/damage.js";
import {
  BrokenHistoryError,
  EditedMigrationError,
  NewerDatabaseError,
  UnfinishedMigrationError,
} from "./store/database/history.js";
import { FailedMigrationError } from "./store/database/migrate.js";

/** sysexits.h: the command line is wrong. */
export const EX_USAGE = 64;
/** sysexits.h: what is configured or stored cannot be used, so starting again will not help. */
export const EX_CONFIG = 78;

const LASTING = [
  RefusedError,
  WrongKeyError,
  DamagedDatabaseError,
  NewerDatabaseError,
  UnfinishedMigrationError,
  EditedMigrationError,
  BrokenHistoryError,
];

/** What a supervisor is told: 78 when somebody has to do something first, else 1. */
export function exitCodeOf(error: unknown): number {
  return isLasting(error) ? EX_CONFIG : 1;
}

function isLasting(error: unknown): boolean {
  if (error instanceof FailedMigrationError) return error.isLasting;
  return LASTING.some((type) => error instanceof type);
}
