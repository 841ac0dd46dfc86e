import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of every sealed secret; a later layout gets another one. */
const LAYOUT = 1;

/**
 * Seals secrets at rest with AES-256-GCM. They are encrypted and not hashed because a
 * signature-based front must be able to verify with them.
 *
 * Layout: layout byte, 12 bytes IV, 16 bytes tag, ciphertext. The owner's id is authenticated with
 * it, so that a sealed secret moved to another row does not open.
 */
export class SecretBox {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    if (key.length !== KEY_BYTES) throw new RangeError(`the key must have ${KEY_BYTES} bytes`);
    this.#key = key;
  }

  /** Reads the key file, or makes it (mode 0600) when there is none. */
  static async open(keyFile: string): Promise<SecretBox> {
    const existing = await readIfPresent(keyFile);
    if (existing !== undefined) return new SecretBox(keyIn(existing, keyFile));
    await createKeyFile(keyFile);
    return new SecretBox(keyIn(await readFile(keyFile, "utf8"), keyFile));
  }

  seal(secret: string, owner: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv).setAAD(Buffer.from(owner));
    const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
    return Buffer.concat([Buffer.of(LAYOUT), iv, cipher.getAuthTag(), text]);
  }

  /** @throws Error when it was sealed with another key, for another owner, or was altered */
  unseal(sealed: Uint8Array, owner: string): string {
    const bytes = Buffer.from(sealed);
    if (bytes[0] !== LAYOUT) throw new Error("unknown layout of a sealed secret");
    const tagAt = 1 + IV_BYTES;
    const textAt = tagAt + TAG_BYTES;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, bytes.subarray(1, tagAt))
      .setAAD(Buffer.from(owner))
      .setAuthTag(bytes.subarray(tagAt, textAt));
    return Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]).toString();
  }

  /** Whether it opens this text: whether it was sealed with this key, for this owner. */
  opens(sealed: Uint8Array, owner: string): boolean {
    try {
      this.unseal(sealed, owner);
      return true;
    } catch {
      return false; // whatever is wrong with it, it does not open
    }
  }

  /** A key of its own for another purpose, derived with HKDF (RFC 5869). */
  derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync("sha256", this.#key, "", `patchbay:${purpose}`, KEY_BYTES));
  }
}

export function decodeKey(text: string): Buffer {
  return Buffer.from(text.trim(), "base64");
}

function keyIn(text: string, keyFile: string): Buffer {
  const key = decodeKey(text);
  if (key.length !== KEY_BYTES) throw new Error(`${keyFile} does not hold a key of 32 bytes`);
  return key;
}

/** Complete or absent, also after a power loss, and never replacing a key that is there. */
async function createKeyFile(keyFile: string): Promise<void> {
  const draft = `${keyFile}.${randomBytes(6).toString("hex")}.new`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${randomBytes(KEY_BYTES).toString("base64")}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, keyFile);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  } finally {
    await rm(draft);
  }
  await syncDirectory(dirname(keyFile));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
