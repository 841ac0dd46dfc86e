import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { syncPath } from "../store/database/synced-node-fs.js";
import {
  installationIdFile,
  operatorTokenFile,
  readOperatorToken,
} from "./state/data-dir-files.js";

export { operatorTokenFile } from "./state/data-dir-files.js";

const TOKEN_BYTES = 32;

/** The platform operator's token: the given one, else the one of the data directory. */
export async function operatorToken(dataDir: string, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const existing = await readOperatorToken(dataDir);
  if (existing !== undefined) return existing;
  const token = `pbop_${randomBytes(TOKEN_BYTES).toString("base64url")}`;
  await writePrivate(operatorTokenFile(dataDir), token);
  return token;
}

/** Leaves the installation's id where ovs/purge.sh finds it, also while no daemon runs. */
export async function noteInstallationId(
  dataDir: string,
  installationId: string,
  noted: string | undefined,
): Promise<void> {
  if (noted !== installationId) await writePrivate(installationIdFile(dataDir), installationId);
}

/** Before the database takes another id: interrupted between the two, a start goes on. */
export async function forgetInstallationId(dataDir: string): Promise<void> {
  await rm(installationIdFile(dataDir), { force: true });
  syncPath(dataDir);
}

/** Complete or absent, also after a crash; readable by the owner only. */
async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
