import type { Socket } from "node:net";
import { JsonScanner } from "./json-scanner.js";
import { openStream, type StreamAddress } from "./stream-address.js";

/** More than any reply: the whole configuration of a host with 10,000 ports is some 10 MB. */
const MESSAGE_LIMIT_BYTES = 256 * 1024 * 1024;

/** The peer answered with an error; `detail` is the error it sent. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly detail: unknown;

  constructor(method: string, detail: unknown) {
    super(`${method}: ${typeof detail === "string" ? detail.trim() : JSON.stringify(detail)}`);
    this.detail = detail;
  }
}

interface Waiting {
  readonly method: string;
  resolve(result: unknown): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

export interface RpcHandlers {
  notified?(method: string, params: unknown): void;
  /** Once, however the connection ended; not after `close`. */
  lost?(error: Error): void;
}

/**
 * JSON-RPC 1.0 over a stream socket, as RFC 7047 section 4 uses it. Speaks to ovsdb-server, and to
 * the control socket of ovs-vswitchd.
 */
export class JsonRpc {
  readonly #socket: Socket;
  readonly #handlers: RpcHandlers;
  readonly #scanner = new JsonScanner(MESSAGE_LIMIT_BYTES);
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #ended: Error | undefined;

  constructor(socket: Socket, handlers: RpcHandlers = {}) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the connection was closed")));
  }

  static async connect(
    address: StreamAddress,
    limitMs: number,
    handlers: RpcHandlers = {},
  ): Promise<JsonRpc> {
    return new JsonRpc(await openStream(address, limitMs), handlers);
  }

  /**
   * @throws RpcError when the peer refuses, Error when the connection ends or time is up. After a
   *   time-out the peer may still carry the request out.
   */
  request(method: string, params: readonly unknown[], limitMs: number): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const late = () => {
        this.#waiting.delete(id);
        reject(new Error(`${method} was not answered within ${limitMs} ms`));
      };
      const timer = setTimeout(late, limitMs);
      this.#waiting.set(id, { method, resolve, reject, timer });
      this.#socket.write(JSON.stringify({ id, method, params }));
    });
  }

  close(): void {
    this.#end(new Error("the connection is closed"), false);
  }

  /** Asks for any answer at all; without one the connection counts as lost. */
  async probe(method: string, limitMs: number): Promise<void> {
    try {
      await this.request(method, [], limitMs);
    } catch (error) {
      if (!(error instanceof RpcError)) this.#end(new Error("the peer does not answer"));
    }
  }

  #read(chunk: Buffer): void {
    try {
      for (const message of this.#scanner.push(chunk)) this.#receive(message);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #receive(message: unknown): void {
    if (typeof message !== "object" || message === null) throw new SyntaxError("not JSON-RPC");
    const { id, method, params, result, error } = message as Record<string, unknown>;
    if (typeof method !== "string") this.#settle(id, result, error);
    else if (method === "echo")
      this.#socket.write(JSON.stringify({ id, result: params, error: null }));
    else this.#handlers.notified?.(method, params);
  }

  #settle(id: unknown, result: unknown, error: unknown): void {
    const waiting = typeof id === "number" ? this.#waiting.get(id) : undefined;
    // An answer that nobody waits for any more came after its time limit.
    if (waiting === undefined) return;
    this.#waiting.delete(id as number);
    clearTimeout(waiting.timer);
    if (error === null || error === undefined) waiting.resolve(result);
    else waiting.reject(new RpcError(waiting.method, error));
  }

  #end(error: Error, tell = true): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#socket.destroy();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
    if (tell) this.#handlers.lost?.(error);
  }
}
