import { type FileHandle, open } from "node:fs/promises";
import { connect as connectTcp, type Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import { connect as connectTls } from "node:tls";
import { BackendError } from "../backend.js";

/** Bytes of a path in `struct sockaddr_un`, without its terminating zero (unix(7)). */
const SOCKET_PATH_LIMIT = 107;

/** Of silence, before the kernel asks whether the peer is there; a unix socket has nobody to ask. */
const KEEPALIVE_MS = 10_000;

/** Where a stream socket listens, in Open vSwitch's spelling (ovsdb(7), "Connection Methods"). */
export type StreamAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp" | "ssl"; readonly host: string; readonly port: number };

const INTERNET = /^(tcp|ssl):(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/;

/** @throws BackendError when the text is no address */
export function parseStreamAddress(text: string): StreamAddress {
  if (text.startsWith("unix:") && text.length > "unix:".length) {
    return { kind: "unix", path: text.slice("unix:".length) };
  }
  const [, kind, six, host, port] = INTERNET.exec(text) ?? [];
  if (kind === undefined) {
    throw new BackendError(
      `"${text}" is not an OVSDB address: use unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT`,
    );
  }
  return {
    kind: kind === "ssl" ? "ssl" : "tcp",
    host: six ?? host ?? "",
    port: Number(port),
  };
}

/**
 * Opens a stream within a time limit.
 * @throws Error of the socket, such as ECONNREFUSED, or a time-out
 */
export async function openStream(address: StreamAddress, limitMs: number): Promise<Socket> {
  if (address.kind === "unix") return openUnix(address.path, limitMs);
  if (address.kind === "tcp") {
    return connected(connectTcp({ host: address.host, port: address.port }), "connect", limitMs);
  }
  const socket = connectTls({ host: address.host, port: address.port });
  return connected(socket, "secureConnect", limitMs);
}

/** A path that is too long for the kernel is reached through its directory's descriptor. */
async function openUnix(path: string, limitMs: number): Promise<Socket> {
  if (Buffer.byteLength(path) <= SOCKET_PATH_LIMIT) {
    return connected(connectTcp({ path }), "connect", limitMs);
  }
  const directory: FileHandle = await open(dirname(path), "r");
  try {
    const short = join("/proc/self/fd", String(directory.fd), basename(path));
    return await connected(connectTcp({ path: short }), "connect", limitMs);
  } finally {
    await directory.close();
  }
}

function connected(socket: Socket, event: string, limitMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    const late = () => fail(new Error(`no connection within ${limitMs} ms`));
    const timer = setTimeout(late, limitMs);
    socket.once("error", fail);
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error("the connection was closed"));
    });
    socket.once(event, () => {
      // Whoever is gone without a word: the kernel finds out, also while nobody asks anything.
      socket.setKeepAlive(true, KEEPALIVE_MS);
      clearTimeout(timer);
      socket.off("error", fail);
      resolve(socket);
    });
  });
}
