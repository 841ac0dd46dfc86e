import { timingSafeEqual } from "node:crypto";
import { DomainError } from "../../domain/errors.js";
import type { PrismaClient } from "../../generated/prisma/client.js";
import { findSettled } from "../../store/credentials.js";
import { inTransaction, type Tx } from "../../store/database/transaction.js";
import type { SecretBox } from "../secrets.js";
import { digestOf, Known, type KnownKey } from "./known.js";

/** What a transaction changes: a key, or else whether its tenant is suspended. */
export interface CredentialSubject {
  readonly tenantId: string;
  readonly keyId?: string;
}

/** What is remembered may be out of date, and is read again before anything is decided by it. */
interface Doubt {
  readonly subject: CredentialSubject;
  reading: Promise<void> | undefined;
}

/** Beside a daemon that changes keys without our hearing of it: how long what was read is believed. */
const BELIEVED_MS = 1000;

/** Compared with where there is no key, so that this takes as long. */
const NOBODYS = digestOf("");

/**
 * Decides from memory who holds an access key. It is right as long as no other daemon works on this
 * database: all changes of keys and of tenants' suspension go through `change`. Beside another one
 * it is read again every second.
 *
 * Nothing is ever written into memory but what was read from the database after the change: so it
 * does not matter which of two answers comes first, or whether there was one to a COMMIT.
 */
export class Credentials {
  readonly #db: PrismaClient;
  readonly #secrets: SecretBox;
  readonly #isShared: () => boolean;
  #readAt = Number.NEGATIVE_INFINITY;
  #known: Known | undefined;
  #loading: Promise<void> | undefined;
  /** By id of the key or of the tenant. */
  readonly #doubts = new Map<string, Doubt>();

  /** @param isShared whether another daemon may be changing what is remembered here */
  constructor(db: PrismaClient, secrets: SecretBox, isShared = () => false) {
    this.#db = db;
    this.#secrets = secrets;
    this.#isShared = isShared;
  }

  /** How many stored keys nobody can use because their secrets cannot be unsealed. */
  get unreadable(): number {
    return this.#known?.unreadable ?? 0;
  }

  /**
   * Reads everything anew, as at the start, or when others may have changed it meanwhile. From the
   * call on nothing is decided by what was known before.
   */
  reload(): Promise<void> {
    this.#readAt = performance.now();
    this.#known = undefined;
    // What is being read now may be older than what is then remembered.
    for (const { subject } of [...this.#doubts.values()]) this.#doubt(subject);
    const loading: Promise<void> = Known.read(this.#db, this.#secrets).then(
      (known) => this.#loaded(loading, known),
      (error) => {
        this.#loaded(loading, undefined);
        throw error;
      },
    );
    this.#loading = loading;
    return loading;
  }

  /**
   * The key with this id and secret, unless its tenant is suspended. An unknown key and a wrong
   * secret take the same work.
   * @throws DomainError `ServiceUnavailable` when memory is in doubt and cannot be read again
   */
  async holder(id: string, secret: string): Promise<KnownKey | undefined> {
    const given = digestOf(secret);
    if (this.#isShared() && performance.now() - this.#readAt > BELIEVED_MS) await this.reload();
    const { keys } = await this.#ready();
    const isRight = timingSafeEqual(given, keys.get(id)?.digest ?? NOBODYS);
    // The secret of a key never changes: that one is wrong no doubt can alter.
    if (!isRight && (keys.has(id) || !this.#doubts.has(id))) return undefined;
    await this.#settle(id);
    await this.#settle((await this.#ready()).keys.get(id)?.tenantId);
    return holderIn(await this.#ready(), id, given);
  }

  /**
   * Runs a transaction that changes a key or a tenant; it has to take the tenant's lock. Once it is
   * committed memory has followed, or is in doubt.
   */
  async change<T>(subject: CredentialSubject, work: (tx: Tx) => Promise<T>): Promise<T> {
    let mayBeCommitted = false;
    const committed = inTransaction(this.#db, async (tx) => {
      mayBeCommitted = false;
      const result = await work(tx);
      mayBeCommitted = true;
      return result;
    });
    const result = await committed.catch((error: unknown) => {
      if (mayBeCommitted) this.#doubt(subject);
      throw error;
    });
    await this.refresh(subject);
    return result;
  }

  /** Reads this again; when that fails, the next who needs it does. */
  async refresh(subject: CredentialSubject): Promise<void> {
    this.#doubt(subject);
    await this.#settle(idOf(subject)).catch(() => {});
  }

  #doubt(subject: CredentialSubject): void {
    this.#doubts.set(idOf(subject), { subject, reading: undefined });
  }

  /** Returns once there is no doubt about this id. */
  async #settle(id: string | undefined): Promise<void> {
    if (id === undefined) return;
    for (;;) {
      const doubt = this.#doubts.get(id);
      if (doubt === undefined) return;
      doubt.reading ??= this.#read(id, doubt);
      await doubt.reading;
    }
  }

  async #read(id: string, doubt: Doubt): Promise<void> {
    try {
      const known = await this.#ready();
      const { tenantId, keyId } = doubt.subject;
      const { isSuspended, key } = await findSettled(this.#db, tenantId, keyId);
      // Doubted again meanwhile: what has just been read may be older than that.
      if (this.#doubts.get(id) !== doubt) return;
      this.#doubts.delete(id);
      if (keyId === undefined) known.setTenant(tenantId, isSuspended);
      else known.setKey(keyId, key);
    } catch (error) {
      doubt.reading = undefined;
      throw unreadable(error);
    }
  }

  async #ready(): Promise<Known> {
    for (;;) {
      if (this.#known !== undefined) return this.#known;
      await (this.#loading ?? this.reload()).catch((error: unknown) => {
        throw unreadable(error);
      });
    }
  }

  #loaded(loading: Promise<void>, known: Known | undefined): void {
    if (this.#loading !== loading) return;
    this.#loading = undefined;
    this.#known = known;
  }
}

function holderIn({ keys, suspended }: Known, id: string, given: Buffer): KnownKey | undefined {
  const key = keys.get(id);
  const isRight = timingSafeEqual(given, key?.digest ?? NOBODYS);
  return isRight && key !== undefined && !suspended.has(key.tenantId) ? key : undefined;
}

function idOf({ tenantId, keyId }: CredentialSubject): string {
  return keyId ?? tenantId;
}

function unreadable(cause: unknown): DomainError {
  if (cause instanceof DomainError) return cause;
  const detail = "The credential cannot be checked at present.";
  return new DomainError("ServiceUnavailable", detail, { cause });
}
