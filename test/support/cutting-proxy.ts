import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Where a connection is cut: before its COMMIT gets to the server, or before the answer gets back. */
export type Cut = "before" | "after";

export interface CuttingProxy {
  /** The same database, by way of this proxy. */
  readonly url: string;
  /** Cuts the next connection that commits. */
  cutNextCommit(where: Cut): void;
  /** Cuts all connections, and every new one until `open`. */
  close(): void;
  open(): void;
  stop(): Promise<void>;
}

/** Stands between a client and a PostgreSQL server, and breaks connections as a network would. */
export async function startCuttingProxy(databaseUrl: string): Promise<CuttingProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let cut: Cut | undefined;
  let isClosed = false;
  const takeCut = (chunk: Buffer): Cut | undefined => {
    if (cut === undefined || !chunk.includes("COMMIT\0")) return undefined;
    const taken = cut;
    cut = undefined;
    return taken;
  };
  const server = createServer((client) => {
    if (isClosed) return void client.destroy();
    relay(client, connect(Number(target.port), target.hostname), sockets, takeCut);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = new URL(databaseUrl);
  url.port = String(typeof address === "object" ? address?.port : "");
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    cutNextCommit: (where) => {
      cut = where;
    },
    close: () => {
      isClosed = true;
      destroyAll();
    },
    open: () => {
      isClosed = false;
    },
    stop: async () => {
      destroyAll();
      server.close();
      await once(server, "close");
    },
  };
}

function relay(
  client: Socket,
  server: Socket,
  sockets: Set<Socket>,
  takeCut: (chunk: Buffer) => Cut | undefined,
): void {
  const both = [client, server];
  const destroy = () => {
    for (const socket of both) socket.destroy();
  };
  for (const socket of both) {
    sockets.add(socket);
    socket.on("error", destroy);
    socket.on("close", () => {
      sockets.delete(socket);
      destroy();
    });
  }
  client.on("data", (chunk) => {
    const cut = takeCut(chunk);
    if (cut === "before") return destroy();
    if (cut === "after") {
      server.off("data", forward);
      server.once("data", destroy);
    }
    server.write(chunk);
    return undefined;
  });
  const forward = (chunk: Buffer) => client.write(chunk);
  server.on("data", forward);
}
