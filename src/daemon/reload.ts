import { Server } from "node:https";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import type { Config } from "../config.js";
import type { OperatorToken } from "../services/credentials/operator-token.js";
import { RefusedError } from "./startup-error.js";
import { operatorTokenFile, readOperatorToken } from "./state/data-dir-files.js";
import { describeCertificate, readTls } from "./tls-files.js";

interface Reloadable {
  readonly config: Config;
  readonly log: Logger;
  readonly operatorToken: OperatorToken;
  readonly app: FastifyInstance;
}

/**
 * Reads again what may change while the daemon runs. What cannot be used stays as it was, and is
 * told in the log. One at a time; never rejects.
 */
export function reloader(parts: Reloadable): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(() => reload(parts));
    return last;
  };
}

async function reload(parts: Reloadable): Promise<void> {
  const { log } = parts;
  await reloadOperatorToken(parts).catch((error: unknown) => {
    log.error({ reason: reasonOf(error) }, "the operator's token stays as it was");
  });
  await reloadCertificate(parts).catch((error: unknown) => {
    log.error({ reason: reasonOf(error) }, "the certificate stays as it was");
  });
}

async function reloadOperatorToken({ config, log, operatorToken }: Reloadable): Promise<void> {
  if (config.operatorToken !== undefined) {
    log.info({}, "the operator's token stays: PATCHBAY_OPERATOR_TOKEN was set at the start");
    return;
  }
  const file = operatorTokenFile(config.dataDir);
  const token = await readOperatorToken(config.dataDir);
  if (token === undefined) throw new Error(`${file} is missing`);
  const isNew = !operatorToken.isHeldBy(token);
  operatorToken.replace(token);
  log.info({ file, isNew }, "the operator's token was reloaded");
}

/** Connections that are there go on with the one that they began with. */
async function reloadCertificate({ config, log, app }: Reloadable): Promise<void> {
  if (config.tls === undefined) return;
  const pair = await readTls(config.tls);
  const { server } = app;
  if (!(server instanceof Server)) throw new Error("this server speaks plain HTTP");
  server.setSecureContext(pair);
  log.info(describeCertificate(pair.cert), "the certificate was reloaded");
}

function reasonOf(error: unknown): string {
  if (error instanceof RefusedError) return error.why;
  return error instanceof Error ? error.message : String(error);
}
