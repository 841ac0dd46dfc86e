import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JsonScanner } from "../../../src/backends/ovs/json-scanner.js";

export interface Request {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

export interface RpcServer {
  readonly dir: string;
  readonly path: string;
  readonly requests: Request[];
  readonly sockets: Socket[];
  close(): Promise<void>;
}

/** A server that answers each request with what `answer` writes; nothing when it writes nothing. */
export async function rpcServer(
  answer: (request: Request, socket: Socket) => void,
  path?: (dir: string) => string,
): Promise<RpcServer> {
  const dir = await mkdtemp(join(tmpdir(), "pbu-"));
  const where = path?.(dir) ?? join(dir, "s");
  const requests: Request[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    const scanner = new JsonScanner(2 ** 20);
    socket.on("data", (chunk: Buffer) => {
      for (const value of scanner.push(chunk)) {
        const request = value as Request;
        requests.push(request);
        answer(request, socket);
      }
    });
    socket.on("error", () => socket.destroy());
  });
  server.listen(where);
  await once(server, "listening");
  return {
    dir,
    path: where,
    requests,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await rm(dir, { recursive: true });
    },
  };
}

export function reply(
  socket: Socket,
  { id }: Request,
  result: unknown,
  error: unknown = null,
): void {
  socket.write(JSON.stringify({ id, result, error }));
}
