import type { Socket } from "node:net";
import {
  decodeFlowUpdates,
  encodeFlowMonitorRequest,
  type FlowUpdate,
  isFlowMonitorReply,
} from "../../../openflow/wire/flow-updates.js";
import {
  encodeMessage,
  MESSAGE_TYPES,
  type Message,
  MessageScanner,
} from "../../../openflow/wire/message.js";
import {
  decodePortDescs,
  decodePortStatus,
  encodePortDescRequest,
  encodePortStatusWish,
  isPortDescReply,
  type PortUpdate,
} from "../../../openflow/wire/port-status.js";
import { describeRefusal, isVersionMismatch } from "../../../openflow/wire/refusal.js";
import type { Connection } from "../link.js";
import { openStream } from "../stream-address.js";

const LIMIT_MS = 5000;

const HELLO_XID = 1;
const MONITOR_XID = 2;
const PORTS_XID = 3;

/** The switch is there and does not want to tell of changes to flows. */
export class MonitorRefused extends Error {
  override readonly name = "MonitorRefused";
}

export interface MonitorHandlers {
  /** In the order in which they were made; those of one message together. */
  updates(updates: readonly FlowUpdate[]): void;
  /** How ports are set: all of them at first, then whatever changes. */
  ports(updates: readonly PortUpdate[]): void;
  /** Once, however the connection ended; not after `close`. */
  lost(error: Error): void;
}

/** A connection to the management socket of one bridge, which tells of every change to its flows and ports. */
export class FlowMonitor implements Connection {
  readonly #socket: Socket;
  readonly #handlers: MonitorHandlers;
  readonly #scanner = new MessageScanner();
  readonly #barriers = new Map<number, () => void>();
  readonly #established: Promise<void>;
  #settle: { resolve(): void; reject(error: Error): void } | undefined;
  #nextXid = PORTS_XID + 1;
  #ended = false;

  private constructor(socket: Socket, handlers: MonitorHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#established = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the connection was closed")));
    socket.write(encodeMessage(MESSAGE_TYPES.hello, HELLO_XID));
    socket.write(encodeFlowMonitorRequest(MONITOR_XID));
    socket.write(encodePortStatusWish(PORTS_XID));
    socket.write(encodePortDescRequest(PORTS_XID));
  }

  /**
   * Resolves once every later change will be told.
   * @throws MonitorRefused, Error of the socket or when the switch does not answer
   */
  static async open(path: string, handlers: MonitorHandlers): Promise<FlowMonitor> {
    const socket = await openStream({ kind: "unix", path }, LIMIT_MS);
    const monitor = new FlowMonitor(socket, handlers);
    const late = () => monitor.#end(new Error(`no answer within ${LIMIT_MS} ms`));
    const timer = setTimeout(late, LIMIT_MS);
    try {
      await monitor.#established;
      return monitor;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Calls back once all that was changed before has been told; never, when the connection ends. */
  barrier(passed: () => void): void {
    if (this.#ended) return;
    const xid = this.#nextXid;
    this.#nextXid = (xid % 0x7fffffff) + 1;
    this.#barriers.set(xid, passed);
    this.#socket.write(encodeMessage(MESSAGE_TYPES.barrierRequest, xid));
  }

  close(): void {
    this.#end(new Error("the connection is closed"), false);
  }

  #read(chunk: Buffer): void {
    try {
      for (const message of this.#scanner.push(chunk)) this.#receive(message);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #receive({ type, xid, body }: Message): void {
    if (this.#ended) return;
    if (type === MESSAGE_TYPES.echoRequest) {
      this.#socket.write(encodeMessage(MESSAGE_TYPES.echoReply, xid, body));
    } else if (type === MESSAGE_TYPES.multipartReply && isFlowMonitorReply(body)) {
      const updates = decodeFlowUpdates(body);
      this.#settle?.resolve();
      this.#settle = undefined;
      if (updates.length > 0) this.#handlers.updates(updates);
    } else if (type === MESSAGE_TYPES.multipartReply && isPortDescReply(body)) {
      const described = decodePortDescs(body);
      this.#handlers.ports(described.map((description) => ({ kind: "set", description })));
    } else if (type === MESSAGE_TYPES.portStatus) {
      this.#handlers.ports([decodePortStatus(body)]);
    } else if (type === MESSAGE_TYPES.barrierReply) {
      const passed = this.#barriers.get(xid);
      this.#barriers.delete(xid);
      passed?.();
    } else if (type === MESSAGE_TYPES.error) {
      const reason = `the switch refuses: ${describeRefusal(body)}`;
      this.#end(isVersionMismatch(body) ? new Error(reason) : new MonitorRefused(reason));
    }
  }

  #end(error: Error, tell = true): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    this.#barriers.clear();
    const { reject } = this.#settle ?? {};
    this.#settle = undefined;
    if (reject !== undefined) reject(error);
    else if (tell) this.#handlers.lost(error);
  }
}
