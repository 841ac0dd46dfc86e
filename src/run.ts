import { isatty } from "node:tty";
import type { Logger } from "pino";
import { type Arguments, readArguments, USAGE, UsageError } from "./arguments.js";
import { type Config, ConfigError, loadConfig } from "./config.js";
import { type Daemon, startDaemon } from "./daemon/start.js";
import { EX_CONFIG, EX_USAGE, exitCodeOf } from "./exit-codes.js";
import { createLogger } from "./logging.js";
import type { CaughtSignal, Signals } from "./signals.js";

/** Within the 10 seconds after which service managers kill. */
const STOP_LIMIT_MS = 9000;
const STDOUT = 1;
const STOP_SIGNALS: readonly CaughtSignal[] = ["SIGTERM", "SIGINT", "SIGQUIT"];

/** The daemon as a process, from its start to its end. */
export async function run(signals: Signals): Promise<void> {
  // The files of the embedded database are for everybody, whatever the umask: its folders are not.
  process.umask(0o077);
  const commandLine = readCommandLine();
  if (commandLine.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const config = readConfig();
  const log = createLogger({ level: config.logLevel, pretty: isatty(STDOUT) });
  exitOnBugs(log);
  await new DaemonProcess(config, log, signals).start(commandLine.consent);
}

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

function exitOnBugs(log: Logger): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ err: error }, event);
      process.exit(1);
    });
  }
}

class DaemonProcess {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #signals: Signals;
  readonly #starting = new AbortController();
  readonly #hadTerminal = isatty(STDOUT);
  #wasToldToStop = false;

  constructor(config: Config, log: Logger, signals: Signals) {
    this.#config = config;
    this.#log = log;
    this.#signals = signals;
  }

  async start(consent: Extract<Arguments, { help: false }>["consent"]): Promise<void> {
    const daemon = startDaemon(this.#config, {
      log: this.#log,
      signal: this.#starting.signal,
      announce: (text) => process.stderr.write(text),
      consent,
      fail: (error) => this.#giveUp(daemon, error),
    });
    this.#signals.handTo((signal) => this.#heed(daemon, signal));
    try {
      const { url } = await daemon;
      const { dataDir } = this.#config;
      this.#log.info({ url, dataDir, docs: `${url}/docs` }, "listening");
    } catch (error) {
      if (!this.#starting.signal.aborted) this.#couldNotStart(error);
    }
  }

  #couldNotStart(error: unknown): never {
    this.#log.fatal({ err: error }, "could not start");
    process.stderr.write(`patchbay: ${error instanceof Error ? error.message : error}\n`);
    process.exit(exitCodeOf(error));
  }

  #heed(daemon: Promise<Daemon>, signal: CaughtSignal): void {
    const endsIt =
      STOP_SIGNALS.includes(signal) || (signal === "SIGHUP" && this.#hasLostTerminal());
    if (endsIt) this.#stopOn(daemon, signal);
    else if (signal === "SIGHUP") this.#reloadOn(daemon);
    else this.#log.info({ signal }, "this signal means nothing here; it is ignored");
  }

  /** Closing a terminal hangs up on what runs there: nobody would see it, or end it, any more. */
  #hasLostTerminal(): boolean {
    return this.#hadTerminal && !isatty(STDOUT);
  }

  #stopOn(daemon: Promise<Daemon>, signal: CaughtSignal): void {
    if (this.#wasToldToStop) {
      this.#log.fatal({ signal }, "told to stop again: ending at once");
      process.exit(1);
    }
    this.#wasToldToStop = true;
    this.#log.info({ signal }, "stopping");
    this.#stop(daemon, 0);
  }

  #reloadOn(daemon: Promise<Daemon>): void {
    const signal = "SIGHUP";
    if (this.#starting.signal.aborted) {
      this.#log.info({ signal }, "stopping: nothing is reloaded");
      return;
    }
    this.#log.info({ signal }, "reloading");
    // A start that fails says so itself.
    daemon.then(
      (running) => running.reload(),
      () => undefined,
    );
  }

  /** The daemon has found out that it must not go on. */
  #giveUp(daemon: Promise<Daemon>, error: Error): void {
    if (this.#starting.signal.aborted) return;
    this.#log.fatal({ err: error }, "cannot go on");
    process.stderr.write(`patchbay: ${error.message}\n`);
    this.#stop(daemon, exitCodeOf(error));
  }

  #stop(daemon: Promise<Daemon>, code: number): void {
    if (this.#starting.signal.aborted) return;
    this.#starting.abort();
    setTimeout(() => {
      this.#log.fatal({ limitMs: STOP_LIMIT_MS }, "could not stop in time");
      process.exit(1);
    }, STOP_LIMIT_MS).unref();
    const exit = () => {
      this.#log.info({}, "stopped");
      process.exit(code);
    };
    daemon.then((running) => running.stop()).then(exit, exit);
  }
}
