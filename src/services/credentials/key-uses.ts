import type { PrismaClient } from "../../generated/prisma/client.js";
import { writeLastUses } from "../../store/key-uses.js";

/**
 * When access keys were used last, as far as that has yet to be written. To note it costs a request
 * no statement, and no request hangs on whether it can be written.
 */
export class KeyUses {
  readonly #unwritten = new Map<string, Date>();

  note(keyId: string, at: Date): void {
    this.#unwritten.set(keyId, at);
  }

  /** Undefined: what is stored is right. */
  unwritten(keyId: string): Date | undefined {
    return this.#unwritten.get(keyId);
  }

  get areUnwritten(): boolean {
    return this.#unwritten.size > 0;
  }

  /**
   * Writes all of them with one statement.
   * @throws Error what the database says; they are written the next time then
   */
  async write(db: PrismaClient): Promise<void> {
    const uses = [...this.#unwritten].map(([keyId, at]) => ({ keyId, at }));
    const inUse = new Set(await writeLastUses(db, uses));
    for (const { keyId, at } of uses) {
      // Noted again meanwhile, or held by somebody: the next time.
      if (this.#unwritten.get(keyId) === at && !inUse.has(keyId)) this.#unwritten.delete(keyId);
    }
  }
}
