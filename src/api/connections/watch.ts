import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { clientGroup } from "../../domain/clients.js";
import { ConnectionBook } from "./book.js";
import { Connection, type Exchange } from "./connection.js";
import { type ConnectionBounds, type ConnectionLimits, MOST_UNANSWERED } from "./limits.js";
import { UnsentBytes } from "./unsent.js";

/**
 * Why a connection was closed: no room at all, too many of one address, no progress, too many
 * requests in it, or too many bytes that wait to be sent.
 */
export type Closure = "room" | "address" | "time" | "requests" | "unsent";

interface Surroundings {
  readonly limits: ConnectionLimits;
  /** Whether many clients share this address. */
  readonly isProxy: (address: string) => boolean;
  readonly now: () => number;
}

/** Sees to it that nobody's connections shut others out. */
export class ConnectionWatch {
  readonly #limits: ConnectionLimits;
  readonly #isProxy: (address: string) => boolean;
  readonly #now: () => number;
  readonly #book: ConnectionBook<Connection>;
  readonly #connections = new Set<Connection>();
  readonly #byEnds = new Map<string, Connection>();
  readonly #bySocket = new WeakMap<Socket, Connection>();
  readonly #unsent: UnsentBytes;
  readonly closures: Record<Closure, number> = {
    room: 0,
    address: 0,
    time: 0,
    requests: 0,
    unsent: 0,
  };

  constructor(server: Server, { limits, isProxy, now }: Surroundings) {
    this.#limits = limits;
    this.#isProxy = isProxy;
    this.#now = now;
    this.#unsent = new UnsentBytes(limits.unsentBytes);
    this.#book = new ConnectionBook(limits, (connection) => connection.phase());
    server.on("connection", (socket: Socket) => this.#opened(socket));
    server.prependListener("request", (request, response) => this.began(request, response));
    server.on("listening", () => {
      const sweeping = setInterval(() => this.#sweep(), limits.sweepMs).unref();
      server.once("close", () => clearInterval(sweeping));
    });
  }

  counts() {
    return this.#book.counts();
  }

  /** Whose socket this is: the accepted one, or the one on top of it. */
  of(socket: Socket): Connection | undefined {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const ends = endsOf(socket);
    const connection = ends === undefined ? undefined : this.#byEnds.get(ends);
    if (connection === undefined) return undefined;
    connection.socket = socket;
    this.#bySocket.set(socket, connection);
    return connection;
  }

  /** Notes a request whose header has come. */
  began(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.of(request.socket);
    if (connection === undefined || connection.accepted.destroyed) return;
    if (connection.open.size === MOST_UNANSWERED) {
      this.#close(connection, "requests");
      return;
    }
    const exchange: Exchange = { request, response };
    connection.open.add(exchange);
    connection.last = exchange;
    const look = () => this.#look(connection);
    const answered = () => {
      connection.open.delete(exchange);
      look();
    };
    response.once("prefinish", look).once("finish", answered).once("close", answered);
    request.once("end", look);
    look();
    // One without a body is complete as soon as the parser goes on, and nobody reads it to its end.
    process.nextTick(look);
  }

  /** How many descriptors the connections hold. */
  get size(): number {
    return this.#connections.size;
  }

  /** Makes do with more room, or with less. */
  resize(bounds: ConnectionBounds): void {
    for (const connection of this.#book.resize(bounds)) this.#close(connection, "room");
  }

  /** Closes every connection, also those whose handshake is under way. */
  closeAll(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #opened(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    const connection = new Connection(socket, clientGroup(address), this.#now());
    this.#index(connection);
    const out = this.#book.enter(connection, connection.address, this.#isProxy(address));
    if (out !== undefined) this.#close(out, "room");
  }

  #index(connection: Connection): void {
    const { accepted } = connection;
    const ends = endsOf(accepted);
    this.#connections.add(connection);
    this.#bySocket.set(accepted, connection);
    if (ends !== undefined) this.#byEnds.set(ends, connection);
    accepted.once("close", () => {
      this.#connections.delete(connection);
      // The same ends may have come again before this one was found to be gone.
      if (ends !== undefined && this.#byEnds.get(ends) === connection) this.#byEnds.delete(ends);
      this.#forget(connection);
    });
  }

  #look(connection: Connection): void {
    if (connection.accepted.destroyed) return;
    const phase = connection.phase();
    if (phase !== connection.seen) {
      connection.seen = phase;
      connection.since = this.#now();
    }
    this.#book.move(connection, phase);
    this.#unsent.count(connection);
    this.#makeRoomForBytes();
  }

  #makeRoomForBytes(): void {
    for (;;) {
      const out = this.#unsent.surplus();
      if (out === undefined) return;
      this.#close(out, "unsent");
    }
  }

  #sweep(): void {
    for (const connection of this.#book.surplus()) this.#close(connection, "address");
    const now = this.#now();
    for (const connection of this.#connections) {
      this.#look(connection);
      if (this.#isOverdue(connection, now)) this.#close(connection, "time");
    }
  }

  /**
   * Node's own timers end most of these earlier. They do not see one who keeps a connection busy
   * with empty lines, or who takes nothing of an answer.
   */
  #isOverdue(connection: Connection, now: number): boolean {
    const { handshakeMs, headerMs, requestMs, keepAliveMs, answerMs } = this.#limits;
    if (connection.stuckMs(now) > answerMs) return true;
    const lasted = now - connection.since;
    const { seen } = connection;
    if (seen === "idle") return lasted > keepAliveMs + headerMs + requestMs;
    return seen === "unfinished" && lasted > handshakeMs + headerMs + requestMs;
  }

  #close(connection: Connection, why: Closure): void {
    this.closures[why] += 1;
    this.#forget(connection);
    connection.destroy();
  }

  #forget(connection: Connection): void {
    this.#book.leave(connection);
    this.#unsent.forget(connection);
  }
}

/**
 * What tells a connection from all others: the same for a TLS socket and for the one below it.
 * Undefined for one that is gone already.
 */
function endsOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remotePort === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
