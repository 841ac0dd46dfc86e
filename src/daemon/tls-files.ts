import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { TlsPair } from "../api/server.js";
import type { Config } from "../config.js";
import { StartupError } from "./startup-error.js";
import { assertSharedKey } from "./state/private-part.js";

/**
 * Reads a certificate and its key, and tries whether they can be used together.
 * @throws StartupError, which names the files, when they cannot, or others can read the key
 */
export async function readTls({ certFile, keyFile }: NonNullable<Config["tls"]>): Promise<TlsPair> {
  await assertSharedKey(keyFile);
  const [cert, key] = await Promise.all([
    readPem("PATCHBAY_TLS_CERT", certFile),
    readPem("PATCHBAY_TLS_KEY", keyFile),
  ]);
  try {
    // Node takes an empty file for none at all, and then no handshake succeeds.
    describeCertificate(cert);
    createPrivateKey(key);
    createSecureContext({ cert, key });
  } catch (cause) {
    const what = `the certificate ${certFile} (PATCHBAY_TLS_CERT) and the key ${keyFile} (PATCHBAY_TLS_KEY)`;
    throw new StartupError(`${what} cannot be used: ${messageOf(cause)}`, { cause });
  }
  return { cert, key };
}

/** What tells one certificate from another, of the first one in a chain. */
export function describeCertificate(cert: string) {
  const { subject, serialNumber, validTo } = new X509Certificate(cert);
  return { subject, serialNumber, validTo };
}

async function readPem(variable: string, path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new StartupError(`${variable}: cannot read ${path}: ${messageOf(cause)}`, { cause });
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
