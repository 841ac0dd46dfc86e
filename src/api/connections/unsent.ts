import type { Connection } from "./connection.js";

/**
 * The bytes of answers that are ready and that their clients do not take, in the order in which
 * the answers became ready.
 */
export class UnsentBytes {
  readonly #most: number;
  readonly #bytes = new Map<Connection, number>();
  #total = 0;

  /** @param most of all connections together */
  constructor(most: number) {
    this.#most = most;
  }

  /** Notes what waits in this connection now. */
  count(connection: Connection): void {
    const { seen, socket } = connection;
    const bytes = seen === "unread" ? socket.writableLength : 0;
    if (bytes === 0) this.forget(connection);
    else {
      this.#total += bytes - (this.#bytes.get(connection) ?? 0);
      this.#bytes.set(connection, bytes);
    }
  }

  forget(connection: Connection): void {
    this.#total -= this.#bytes.get(connection) ?? 0;
    this.#bytes.delete(connection);
  }

  /** Who has to go when there are too many: the oldest of the address that has most of them. */
  surplus(): Connection | undefined {
    if (this.#total <= this.#most) return undefined;
    const addresses = new Map<string, { readonly oldest: Connection; bytes: number }>();
    for (const [connection, bytes] of this.#bytes) {
      const known = addresses.get(connection.address);
      if (known === undefined) addresses.set(connection.address, { oldest: connection, bytes });
      else known.bytes += bytes;
    }
    const [fullest] = [...addresses.values()].sort((a, b) => b.bytes - a.bytes);
    return fullest?.oldest;
  }
}
