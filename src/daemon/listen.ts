import type { FastifyInstance } from "fastify";
import { boundsFor, USUAL_LIMITS } from "../api/connections/limits.js";
import type { ServerOptions } from "../api/server.js";
import type { Config } from "../config.js";
import { otherAddresses } from "./all-addresses.js";
import { openFilesLimit, shareDescriptors } from "./open-files.js";
import { StartupError } from "./startup-error.js";
import { readTls } from "./tls-files.js";

/** Connections that sent no request, or do not read their answer, must not hold up the end. */
const DRAIN_LIMIT_MS = 4000;

/** @throws StartupError as `readTls` */
export async function serverOptions(config: Config): Promise<ServerOptions> {
  const { keepAliveSeconds, trustedProxies } = config;
  const bounds = boundsFor(await openFilesLimit());
  const limits = { ...USUAL_LIMITS, ...bounds, keepAliveMs: keepAliveSeconds * 1000 };
  const tls = config.tls && (await readTls(config.tls));
  return { tls, limits, trustedProxies };
}

/**
 * Opens the port and answers the URL.
 * @throws StartupError when the address cannot be had
 */
export async function listen(app: FastifyInstance, config: Config): Promise<string> {
  const { host, port } = config.listen;
  const listenToo = otherAddresses(app);
  await app.listen({ host, port }).catch((cause: unknown) => {
    const message = `cannot listen on ${host}:${port} (PATCHBAY_LISTEN): ${messageOf(cause)}`;
    throw new StartupError(message, { cause });
  });
  const address = app.server.address();
  const actualPort = typeof address === "object" && address !== null ? address.port : port;
  if (host === "localhost") await listenToo(host, actualPort);
  shareDescriptors(app, await openFilesLimit());
  const scheme = config.tls === undefined ? "http" : "https";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${actualPort}`;
}

/** Takes no more requests and finishes those under way, up to a limit. */
export async function closeGracefully(app: FastifyInstance): Promise<void> {
  const limit = setTimeout(() => app.connections.closeAll(), DRAIN_LIMIT_MS);
  await app.close();
  clearTimeout(limit);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
