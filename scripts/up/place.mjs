import { join, relative, resolve } from "node:path";

/**
 * The files of one data directory that `npm run up` has to do with.
 * @param {NodeJS.ProcessEnv} env
 */
export function placeOf(env) {
  const dataDir = resolve(env.PATCHBAY_DATA_DIR || "var");
  return {
    dataDir,
    lock: join(dataDir, "up.lock"),
    settings: join(dataDir, "up.env"),
    log: join(dataDir, "daemon.log"),
    token: join(dataDir, "operator-token"),
    switchDir: join(dataDir, "ovs"),
  };
}

/** @returns {string} as somebody types it who is in the same folder */
export function shortPath(path) {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}
