import { join } from "node:path";
import { decodeKey, SecretBox } from "../../services/secrets.js";
import { hasNoCluster } from "../../store/database/damage.js";
import { embeddedDirectory } from "../../store/database/embedded.js";
import { isInstallationId } from "./installation-id.js";
import type { FileFacts } from "./judge.js";
import { assertPrivateDatabase, assertPrivateFolder, readPart } from "./private-part.js";

const KEY = /^[A-Za-z0-9+/]{43}=$/;
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

/** What the settings say is elsewhere than in the data directory. */
interface Elsewhere {
  readonly operatorToken: string | undefined;
  readonly databaseUrl: string | undefined;
}

/**
 * Reads the files of a data directory, which may be missing, and writes nothing.
 * @throws RefusedError when one is open to others or does not hold what it should
 */
export async function readDataDir(dataDir: string, elsewhere: Elsewhere): Promise<DataDirFiles> {
  const isReachable = await assertPrivateFolder(dataDir);
  await assertPrivateDatabase(embeddedDirectory(dataDir), isReachable);
  const key = await readPart({
    path: secretKeyFile(dataDir),
    holds: (text) => KEY.test(text),
    what: "a key of 32 bytes in base64",
    remedy: "Restore secret-key from a backup of this data directory.",
    isSecret: true,
  });
  const installationId = await readPart({
    path: installationIdFile(dataDir),
    holds: isInstallationId,
    what: "the id of an installation",
    remedy: `Remove ${installationIdFile(dataDir)}: it is written again when all else fits together.`,
    isSecret: false,
  });
  // Given in the settings, the file is none of ours.
  const token =
    elsewhere.operatorToken === undefined ? await readOperatorToken(dataDir) : undefined;
  return {
    dataDir,
    hasKey: key !== undefined,
    secrets: key === undefined ? undefined : new SecretBox(decodeKey(key)),
    installationId,
    hasToken: token !== undefined,
    hasUnusedDatabase:
      elsewhere.databaseUrl !== undefined && !hasNoCluster(embeddedDirectory(dataDir)),
  };
}

/** @throws RefusedError */
export function readOperatorToken(dataDir: string): Promise<string | undefined> {
  return readPart({
    path: operatorTokenFile(dataDir),
    holds: (text) => TOKEN.test(text),
    what: "a token of 8 printable characters or more",
    remedy: `Restore it, or remove ${operatorTokenFile(dataDir)}: a new token is made up then.`,
    isSecret: true,
  });
}
