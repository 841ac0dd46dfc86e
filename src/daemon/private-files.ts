import { randomBytes } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

const TOKEN_BYTES = 32;

/** Path of the file that holds the operator's token when the settings do not. */
export function operatorTokenFile(dataDir: string): string {
  return join(dataDir, "operator-token");
}

/** The platform operator's token: the given one, else the one of the data directory. */
export async function operatorToken(dataDir: string, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  const file = operatorTokenFile(dataDir);
  const existing = await readTrimmed(file);
  if (existing !== undefined && existing !== "") return existing;
  const token = `pbop_${randomBytes(TOKEN_BYTES).toString("base64url")}`;
  await writePrivate(file, token);
  return token;
}

/** Leaves the installation's id where ovs/purge.sh finds it, also while no daemon runs. */
export async function noteInstallationId(dataDir: string, installationId: string): Promise<void> {
  const file = join(dataDir, "installation-id");
  if ((await readTrimmed(file)) !== installationId) await writePrivate(file, installationId);
}

async function readTrimmed(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
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
