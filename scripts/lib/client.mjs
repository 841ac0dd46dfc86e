import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** An answer of the daemon that is not a success. */
export class ApiError extends Error {
  constructor(method, path, status, problem) {
    super(`${method} ${path}: ${status} ${problem?.code ?? ""} ${problem?.detail ?? ""}`.trim());
    this.name = "ApiError";
    this.status = status;
    this.code = problem?.code;
  }
}

/**
 * @returns {(method: string, path: string, body?: object) => Promise<any>} calls below `/v1` with
 *   one credential; resolves to the parsed answer, undefined when it is empty
 */
export function client(url, token) {
  return async (method, path, body) => {
    const response = await fetch(`${url}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get("content-type") ?? "");
    const answer = json && text !== "" ? JSON.parse(text) : undefined;
    if (!response.ok) throw new ApiError(method, path, response.status, answer);
    return answer;
  };
}

/**
 * Where the daemon is and how to speak to it: the environment, else what `npm run up` wrote.
 * @returns {{ url: string, token: string, env: Record<string, string> }} `env`: for ovs/netns.sh
 */
export function runningDaemon(env) {
  const dataDir = dataDirOf(env);
  const set = { ...settingsIn(join(dataDir, "up.env")), ...env };
  const url = (set.PATCHBAY_URL || "http://127.0.0.1:8080").replace(/\/$/, "");
  const token = env.PATCHBAY_TOKEN || env.PATCHBAY_OPERATOR_TOKEN || tokenIn(dataDir);
  const names = ["PATCHBAY_OVSDB", "PATCHBAY_OVS_RUNDIR", "PATCHBAY_DATAPATH"];
  const ovs = Object.fromEntries(names.filter((name) => set[name]).map((n) => [n, set[n]]));
  return { url, token, env: { ...ovs, PATCHBAY_URL: url, PATCHBAY_TOKEN: token } };
}

/** @returns {string | undefined} where what `npm run up` runs on this data directory listens */
export const runningUrl = (env) => settingsIn(join(dataDirOf(env), "up.env")).PATCHBAY_URL;

const dataDirOf = (env) => resolve(env.PATCHBAY_DATA_DIR || "var");

function tokenIn(dataDir) {
  const file = join(dataDir, "operator-token");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  throw new Error(`no operator token: ${file} is not there. Is \`npm run up\` running?`);
}

/** The plain and the quoted `NAME=value` lines of a shell file. */
function settingsIn(file) {
  if (!existsSync(file)) return {};
  const lines = readFileSync(file, "utf8").matchAll(/^(\w+)=(?:'(.*)'|([^$'\n]*))$/gm);
  return Object.fromEntries(
    Array.from(lines, ([, name, quoted, plain]) => [
      name,
      quoted?.replaceAll("'\\''", "'") ?? plain,
    ]),
  );
}
