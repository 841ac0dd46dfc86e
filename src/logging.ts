import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import { PinoPretty } from "pino-pretty";

/** Places where a credential could turn up in a log line, whoever writes it. */
const CREDENTIALS = [
  "authorization",
  "token",
  "secret",
  "operatorToken",
  "databaseUrl",
  "encryptedSecret",
];

const redact = {
  paths: [
    ...CREDENTIALS,
    ...CREDENTIALS.map((name) => `*.${name}`),
    ...CREDENTIALS.map((name) => `*.*.${name}`),
  ],
  censor: "[redacted]",
};

export interface LogOptions {
  readonly level: string;
  /** Readable text in place of JSON lines. */
  readonly pretty: boolean;
  /** Standard output when absent. */
  readonly destination?: DestinationStream;
}

export function createLogger({ level, pretty, destination }: LogOptions): Logger {
  const options = { level, redact, base: null, timestamp: stdTimeFunctions.isoTime };
  return pino(options, destination ?? standardOutput(pretty));
}

function standardOutput(pretty: boolean): DestinationStream {
  const output = pino.destination(1);
  // A terminal that is gone or a disk that is full takes no lines; there is nobody else to tell.
  output.on("error", () => {});
  return pretty ? PinoPretty({ sync: true, destination: output }) : output;
}
