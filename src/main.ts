import { type Arguments, readArguments, USAGE, UsageError } from "./arguments.js";
import { type Config, ConfigError, loadConfig } from "./config.js";
import { type Daemon, startDaemon } from "./daemon/start.js";
import { EX_CONFIG, EX_USAGE, exitCodeOf } from "./exit-codes.js";
import { createLogger } from "./logging.js";

// The files of the embedded database are for everybody, whatever the umask: its folders are not.
process.umask(0o077);

/** Within the 10 seconds after which service managers kill. */
const STOP_LIMIT_MS = 9000;
const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

function readCommandLine(): Arguments {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`patchbay: ${error.message}\n${USAGE}`);
    return process.exit(EX_USAGE);
  }
}

function readConfig(): Config {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`patchbay: ${error.message}\n`);
    return process.exit(EX_CONFIG);
  }
}

const commandLine = readCommandLine();
if (commandLine.help) {
  process.stdout.write(USAGE);
  process.exit(0);
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
  consent: commandLine.consent,
  fail: giveUp,
});

function stopOn(signal: NodeJS.Signals): void {
  log.info({ signal }, "stopping");
  stopWith(0);
}

/** The daemon has found out that it must not go on. */
function giveUp(error: Error): void {
  if (starting.signal.aborted) return;
  log.fatal({ err: error }, "cannot go on");
  process.stderr.write(`patchbay: ${error.message}\n`);
  stopWith(exitCodeOf(error));
}

function stopWith(code: number): void {
  starting.abort();
  setTimeout(() => {
    log.fatal({ limitMs: STOP_LIMIT_MS }, "could not stop in time");
    process.exit(1);
  }, STOP_LIMIT_MS).unref();
  const exit = () => {
    log.info({}, "stopped");
    process.exit(code);
  };
  daemon.then((running: Daemon) => running.stop()).then(exit, exit);
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
    process.exit(exitCodeOf(error));
  }
}
