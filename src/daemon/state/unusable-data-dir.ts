import { messageOf } from "../../store/database/message-of.js";
import { RefusedError, StartupError } from "../startup-error.js";

/** What somebody has to do about a directory in which no lock can be had. */
const REMEDIES: Readonly<Record<string, (dataDir: string) => string>> = {
  EROFS: (dataDir) => `Mount ${dataDir} so that it can be written, or set PATCHBAY_DATA_DIR.`,
  EISDIR: (dataDir) => `Remove the folder ${dataDir}/daemon.lock: the daemon makes a file there.`,
  ENOTDIR: () => "Set PATCHBAY_DATA_DIR to a directory.",
  EEXIST: () => "Set PATCHBAY_DATA_DIR to a directory.",
  EACCES: letOwn,
  EPERM: letOwn,
};

function letOwn(dataDir: string): string {
  return `Let the user of the daemon (uid ${process.getuid?.()}) own and write ${dataDir}.`;
}

/** @returns what the system says of it with the directory and what to do; all else as it is */
export function unusableDataDir(dataDir: string, error: unknown): unknown {
  if (!(error instanceof Error && "code" in error)) return error;
  const why = `the data directory ${dataDir} cannot be used: ${messageOf(error)}`;
  const remedy = REMEDIES[String(error.code)];
  if (remedy !== undefined) return new RefusedError(why, [remedy(dataDir)], error);
  return new StartupError(why, { cause: error });
}
