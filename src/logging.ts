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
  const stream = pretty ? PinoPretty({ sync: true, destination: 1 }) : pino.destination(1);
  return pino(options, destination ?? stream);
}
