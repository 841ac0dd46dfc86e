import { type Config, ConfigError, loadConfig } from "./config.js";
import { type Daemon, startDaemon } from "./daemon/start.js";
import { createLogger } from "./logging.js";

/** sysexits.h: the configuration cannot be used, so starting again will not help. */
const EX_CONFIG = 78;
/** Within the 10 seconds after which service managers kill. */
const STOP_LIMIT_MS = 9000;
const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

function readConfig(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`patchbay: ${error.message}\n`);
    return process.exit(EX_CONFIG);
  }
}

const config = readConfig();
const log = createLogger({ level: config.logLevel, pretty: process.stdout.isTTY === true });
const starting = new AbortController();

for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    log.fatal({ err: error }, event);
    process.exit(1);
  });
}

const daemon = startDaemon(config, {
  log,
  signal: starting.signal,
  announce: (text) => process.stderr.write(text),
});

function stopOn(signal: NodeJS.Signals): void {
  log.info({ signal }, "stopping");
  starting.abort();
  setTimeout(() => {
    log.fatal({ limitMs: STOP_LIMIT_MS }, "could not stop in time");
    process.exit(1);
  }, STOP_LIMIT_MS).unref();
  daemon.then((running: Daemon) => running.stop()).then(exitStopped, exitStopped);
}

function exitStopped(): never {
  log.info({}, "stopped");
  process.exit(0);
}

for (const signal of STOP_SIGNALS) {
  process.once(signal, () => {
    // The second one of either kind does not wait.
    for (const again of STOP_SIGNALS) process.on(again, () => process.exit(1));
    stopOn(signal);
  });
}

try {
  const { url } = await daemon;
  log.info({ url, dataDir: config.dataDir, docs: `${url}/docs` }, "listening");
} catch (error) {
  if (!starting.signal.aborted) {
    log.fatal({ err: error }, "could not start");
    process.stderr.write(`patchbay: ${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
}
