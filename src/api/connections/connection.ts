import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Phase } from "./book.js";

/** A request as far as it has come, and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Bytes of progress that make a slow reader one that reads. */
const PROGRESS = 16 * 1024;

/** One client's connection, from the accepted socket on. */
export class Connection {
  /** Those that are not answered, in the order in which they came: the first is under way. */
  readonly open = new Set<Exchange>();
  /** The latest one, answered or not. */
  last: Exchange | undefined;
  /** Nothing more is taken from it. */
  refused = false;
  /** What it did when one last looked, and since when. */
  seen: Phase = "unfinished";
  since: number;
  /** The socket that is written to: with TLS not the one that was accepted. */
  socket: Socket;
  #progress: { readonly taken: number; readonly at: number };

  constructor(
    readonly accepted: Socket,
    /** Whose it is, as `clientGroup` tells. */
    readonly address: string,
    now: number,
  ) {
    this.socket = accepted;
    this.since = now;
    this.#progress = { taken: 0, at: now };
  }

  phase(): Phase {
    const [first] = this.open;
    if (first?.request.complete && !first.response.writableEnded) return "busy";
    if (this.last === undefined || !this.last.request.complete) return "unfinished";
    return this.open.size === 0 ? "idle" : "unread";
  }

  /** The path of the request that has no answer yet; empty when its header has not come. */
  unfinishedPath(): string {
    const { request } = this.last ?? {};
    return request === undefined || request.complete ? "" : (request.url?.split("?", 1)[0] ?? "");
  }

  /** For how many milliseconds the client has taken next to nothing of what waits for it. */
  stuckMs(now: number): number {
    const waiting = this.socket.writableLength;
    const taken = this.socket.bytesWritten - waiting;
    if (waiting === 0 || taken >= this.#progress.taken + PROGRESS) {
      this.#progress = { taken, at: now };
    }
    return now - this.#progress.at;
  }

  destroy(): void {
    this.socket.destroy();
    this.accepted.destroy();
  }
}
