import { knowsConntrackZones, requestsFor } from "./ct/columns.js";
import { OvsdbLock } from "./fence/ovsdb-lock.js";
import { JsonRpc } from "./json-rpc.js";
import type { Connection } from "./link.js";
import { Replica } from "./replica.js";
import { COLUMNS, type TableName } from "./rows.js";
import { SETTING_COLUMNS } from "./settings/columns.js";
import { parseStreamAddress } from "./stream-address.js";

const DATABASE = "Open_vSwitch";
const CONNECT_LIMIT_MS = 5000;
const MONITOR_LIMIT_MS = 10_000;
const TRANSACT_LIMIT_MS = 10_000;
const PROBE_LIMIT_MS = 5000;

/** One operation of a transaction (RFC 7047, section 5.2). */
export type Operation = Readonly<Record<string, unknown>> & { readonly op: string };

/** An operation that changes nothing. */
export type Selection = Operation & { readonly op: "select" };

/** The database refused a transaction; nothing of it was carried out. */
export class TransactionError extends Error {
  override readonly name = "TransactionError";
}

export interface OvsdbOptions {
  /** `unix:PATH`, `tcp:HOST:PORT` or `ssl:HOST:PORT`. */
  readonly address: string;
  /** The name of the lock that every transaction asserts. */
  readonly lock: string;
  /** Whether to ask for it when the connection is made. */
  readonly wantsLock: boolean;
  lost(error: Error): void;
  /** Called after each update of the replica, not for its first contents. */
  changed(ovsdb: Ovsdb, tables: ReadonlySet<TableName>): void;
  /** The lock has come or gone since the connection is open. */
  lockChanged(ovsdb: Ovsdb): void;
}

interface Watcher {
  check(): void;
  lost(error: Error): void;
}

/** A connection to the database of Open vSwitch, with a replica that follows its changes. */
export class Ovsdb implements Connection {
  readonly replica = new Replica();
  readonly #rpc: JsonRpc;
  readonly #options: OvsdbOptions;
  readonly #lock: OvsdbLock;
  readonly #watchers = new Set<Watcher>();
  #ended: Error | undefined;
  /** Updates that came before the first contents were stored. */
  #early: unknown[] | undefined = [];

  private constructor(rpc: JsonRpc, options: OvsdbOptions) {
    this.#rpc = rpc;
    this.#options = options;
    this.#lock = new OvsdbLock(options.lock, () => {
      if (this.#early === undefined) options.lockChanged(this);
    });
  }

  /**
   * Connects, fetches the watched tables and asks for the lock. One monitor over all tables, so that
   * every update is one whole transaction.
   */
  static async open(options: OvsdbOptions): Promise<Ovsdb> {
    let ovsdb: Ovsdb | undefined;
    const address = parseStreamAddress(options.address);
    const rpc = await JsonRpc.connect(address, CONNECT_LIMIT_MS, {
      lost: (error) => {
        if (ovsdb !== undefined) ovsdb.#lost(error);
        options.lost(error);
      },
      notified: (method, params) => {
        if (ovsdb !== undefined) ovsdb.#notified(method, params);
      },
    });
    ovsdb = new Ovsdb(rpc, options);
    try {
      if (options.wantsLock) await ovsdb.#lock.request(rpc);
      await ovsdb.#monitor();
      return ovsdb;
    } catch (error) {
      rpc.close();
      throw error;
    }
  }

  /** Whether this connection has the lock, as far as the server has told. */
  get isLocked(): boolean {
    return this.#lock.isHeld;
  }

  /** Asks for the lock, or gives it up; `lockChanged` is called when that is done. */
  async wantLock(isWanted: boolean): Promise<void> {
    await (isWanted ? this.#lock.request(this.#rpc) : this.#lock.release(this.#rpc));
    this.#options.lockChanged(this);
  }

  /**
   * Carries out all operations or none: none unless this connection has the lock.
   * @returns one result for each operation
   * @throws TransactionError when the database refuses
   */
  async transact(operations: readonly Operation[]): Promise<Record<string, unknown>[]> {
    const [, ...results] = await this.#transact([this.#lock.assertion, ...operations]);
    return results;
  }

  /**
   * Carries out operations that change nothing; nobody needs the lock for these.
   * @throws TransactionError when the database refuses
   */
  read(selections: readonly Selection[]): Promise<Record<string, unknown>[]> {
    return this.#transact(selections);
  }

  async #transact(operations: readonly Operation[]): Promise<Record<string, unknown>[]> {
    const params = [DATABASE, ...operations];
    const results = await this.#rpc.request("transact", params, TRANSACT_LIMIT_MS);
    if (!Array.isArray(results))
      throw new TransactionError("the answer to a transaction is no list");
    const failed = results.find((result) => typeof result?.error === "string");
    if (failed !== undefined) {
      throw new TransactionError(`${failed.error}: ${failed.details ?? "without details"}`);
    }
    return results;
  }

  /**
   * Waits until the replica satisfies a condition.
   * @returns whether it did within the limit
   * @throws Error when the connection is lost or closed, now or meanwhile
   */
  until(holds: (replica: Replica) => boolean, limitMs: number): Promise<boolean> {
    if (holds(this.replica)) return Promise.resolve(true);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
      };
      const watcher: Watcher = {
        check: () => {
          if (!holds(this.replica)) return;
          stop();
          resolve(true);
        },
        lost: (error) => {
          stop();
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        stop();
        resolve(false);
      }, limitMs);
      this.#watchers.add(watcher);
    });
  }

  close(): void {
    this.#rpc.close();
    this.#lost(new Error("the connection to the database is closed"));
  }

  /** The connection is lost unless the database answers (RFC 7047, section 4.1.11). */
  probe(): Promise<void> {
    return this.#rpc.probe("echo", PROBE_LIMIT_MS);
  }

  async #monitor(): Promise<void> {
    const schema = await this.#rpc.request("get_schema", [DATABASE], MONITOR_LIMIT_MS);
    const isAbsent = absence(schema);
    const requests = Object.fromEntries(
      Object.entries(COLUMNS).map(([table, columns]) => {
        return [table, { columns: columns.filter((column) => !isAbsent(table, column)) }];
      }),
    );
    this.replica.knowsConntrackZones = knowsConntrackZones(schema);
    const params = [DATABASE, "patchbay", requestsFor(schema, requests)];
    this.replica.apply(await this.#rpc.request("monitor", params, MONITOR_LIMIT_MS));
    for (const update of this.#early ?? []) this.replica.apply(update);
    this.#early = undefined;
  }

  #notified(method: string, params: unknown): void {
    this.#lock.notified(method, params);
    if (method !== "update" || !Array.isArray(params)) return;
    if (this.#early !== undefined) {
      this.#early.push(params[1]);
      return;
    }
    const touched = this.replica.apply(params[1]);
    for (const watcher of [...this.#watchers]) watcher.check();
    this.#options.changed(this, touched);
  }

  #lost(error: Error): void {
    this.#ended ??= error;
    for (const watcher of [...this.#watchers]) watcher.lost(error);
  }
}

interface Schema {
  readonly tables?: Readonly<Record<string, { readonly columns?: object } | undefined>>;
}

/** An older Open vSwitch lacks some settings, and would refuse to monitor the rest with them. */
function absence(schema: unknown): (table: string, column: string) => boolean {
  const { tables = {} } = schema as Schema;
  const isSetting = (table: string, column: string) =>
    Object.entries(SETTING_COLUMNS).some(([name, columns]) => {
      return name === table && columns.some((each) => each === column);
    });
  return (table, column) =>
    isSetting(table, column) && !Object.hasOwn(tables[table]?.columns ?? {}, column);
}

/** Whether a database of Open vSwitch answers there, for choosing a backend. */
export async function ovsdbAnswers(address: string, limitMs: number): Promise<boolean> {
  const parsed = parseStreamAddress(address);
  let rpc: JsonRpc | undefined;
  try {
    rpc = await JsonRpc.connect(parsed, limitMs);
    const databases = await rpc.request("list_dbs", [], limitMs);
    return Array.isArray(databases) && databases.includes(DATABASE);
  } catch (error) {
    // Whatever the reason, there is nobody to talk to: that is the answer.
    if (error instanceof Error) return false;
    throw error;
  } finally {
    rpc?.close();
  }
}
