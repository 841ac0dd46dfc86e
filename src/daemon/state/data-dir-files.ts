import { join } from "node:path";
import { decodeKey, SecretBox } from "../../services/secrets.js";
import { embeddedDirectory } from "../../store/database/embedded.js";
import type { FileFacts } from "./judge.js";
import { assertPrivateDatabase, assertPrivateFolder, readPart } from "./private-part.js";

const KEY = /^[A-Za-z0-9+/]{43}=$/;
const INSTALLATION_ID = /^[0-9a-f]{32}$/;
const TOKEN = /^[\x21-\x7e]{8,}$/;

export function secretKeyFile(dataDir: string): string {
  return join(dataDir, "secret-key");
}

/** Path of the file that holds the operator's token when the settings do not. */
export function operatorTokenFile(dataDir: string): string {
  return join(dataDir, "operator-token");
}

export function installationIdFile(dataDir: string): string {
  return join(dataDir, "installation-id");
}

export interface DataDirFiles extends FileFacts {
  /** The box of secret-key, when there is one. */
  readonly secrets: SecretBox | undefined;
}

/**
 * Reads the files of a data directory, which may be missing, and writes nothing.
 * @param given the operator's token of the settings: the file is none of ours then
 * @throws RefusedError when one is open to others or does not hold what it should
 */
export async function readDataDir(
  dataDir: string,
  given: string | undefined,
): Promise<DataDirFiles> {
  const isReachable = await assertPrivateFolder(dataDir);
  await assertPrivateDatabase(embeddedDirectory(dataDir), isReachable);
  const key = await readPart({
    path: secretKeyFile(dataDir),
    holds: KEY,
    what: "a key of 32 bytes in base64",
    remedy: "Restore secret-key from a backup of this data directory.",
    isSecret: true,
  });
  const installationId = await readPart({
    path: installationIdFile(dataDir),
    holds: INSTALLATION_ID,
    what: "the id of an installation",
    remedy: `Remove ${installationIdFile(dataDir)}: it is written again when all else fits together.`,
    isSecret: false,
  });
  const token = given === undefined ? await readOperatorToken(dataDir) : undefined;
  const secrets = key === undefined ? undefined : new SecretBox(decodeKey(key));
  const hasToken = token !== undefined;
  return { dataDir, hasKey: key !== undefined, secrets, installationId, hasToken };
}

/** @throws RefusedError */
export function readOperatorToken(dataDir: string): Promise<string | undefined> {
  return readPart({
    path: operatorTokenFile(dataDir),
    holds: TOKEN,
    what: "a token of 8 printable characters or more",
    remedy: `Restore it, or remove ${operatorTokenFile(dataDir)}: a new token is made up then.`,
    isSecret: true,
  });
}
