import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

const LIMIT_MS = 10_000;

/** A client that sends just what it is told to, and keeps what it gets. */
export interface RawClient {
  readonly socket: Socket;
  readonly received: () => string;
  readonly isClosed: () => boolean;
  /** Once the other side has closed the connection. */
  readonly closed: Promise<void>;
  send(text: string): void;
}

export interface Place {
  readonly port: number;
  readonly host?: string;
  /** Whence, to be another client. */
  readonly from?: string;
}

/** Connects, and is connected. */
export async function rawClient({ port, host = "127.0.0.1", from }: Place): Promise<RawClient> {
  const local = from === undefined ? {} : { localAddress: from };
  return ready(connect({ port, host, allowHalfOpen: true, ...local }), "connect");
}

export async function tlsClient({ port, host = "127.0.0.1" }: Place): Promise<RawClient> {
  return ready(connectTls({ port, host, rejectUnauthorized: false }), "secureConnect");
}

function ready(socket: Socket, event: string): Promise<RawClient> {
  const chunks: string[] = [];
  let over = false;
  socket.setEncoding("utf8").on("data", (text: string) => void chunks.push(text));
  // Resets are one of the ways in which the other side closes.
  socket.on("error", () => undefined);
  socket.once("end", () => socket.end());
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      over = true;
      resolve();
    });
  });
  const client: RawClient = {
    socket,
    received: () => chunks.join(""),
    isClosed: () => over,
    closed,
    send: (text) => void socket.write(text),
  };
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`no ${event}`)), LIMIT_MS);
    socket.once(event, () => {
      clearTimeout(limit);
      resolve(client);
    });
    socket.once("close", () => reject(new Error("closed before it was connected")));
  });
}
