import type { PrismaClient } from "../generated/prisma/client.js";
import { claimKeyCheck } from "../store/installation.js";
import type { SecretBox } from "./secrets.js";

const OWNER = "installation";

/** The data directory's key is not the one that this database's secrets were sealed with. */
export class WrongKeyError extends Error {
  override readonly name = "WrongKeyError";
}

/**
 * Makes sure that the secrets in the database can be opened: without their key no access key works.
 * @throws WrongKeyError
 */
export async function requireMatchingKey(db: PrismaClient, secrets: SecretBox): Promise<void> {
  const check = await claimKeyCheck(db, secrets.seal("patchbay", OWNER));
  try {
    secrets.unseal(check, OWNER);
  } catch (error) {
    throw new WrongKeyError(
      "the file secret-key in the data directory does not belong to this database: its access keys were sealed with another one; restore that file, or use the data directory that it is in",
      { cause: error },
    );
  }
}
