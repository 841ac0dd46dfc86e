import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { RequestInvalid } from "../problems/request-invalid.js";

const contentSchema = z.strictObject({ list: z.string(), after: z.int().nonnegative() });

const MAC_BYTES = 16;

/**
 * Cursors of lists: base64url of a truncated HMAC-SHA256 (16 bytes) and the JSON it covers. A
 * cursor is good for the list that it was made for only.
 */
export class CursorCodec {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  seal(list: string, after: number): string {
    const content = Buffer.from(JSON.stringify({ list, after }));
    return Buffer.concat([this.#mac(content), content]).toString("base64url");
  }

  /** @throws RequestInvalid when it is forged or belongs to another list */
  open(list: string, cursor: string): number {
    const bytes = Buffer.from(cursor, "base64url");
    if (bytes.toString("base64url") !== cursor) throw refused();
    const mac = bytes.subarray(0, MAC_BYTES);
    const content = bytes.subarray(MAC_BYTES);
    if (mac.length !== MAC_BYTES || !timingSafeEqual(mac, this.#mac(content))) throw refused();
    const parsed = contentSchema.parse(JSON.parse(content.toString("utf8")));
    if (parsed.list !== list) throw refused();
    return parsed.after;
  }

  #mac(content: Buffer): Buffer {
    return createHmac("sha256", this.#key).update(content).digest().subarray(0, MAC_BYTES);
  }
}

function refused(): RequestInvalid {
  return RequestInvalid.parameter("query", "cursor", "not a cursor of this list");
}
