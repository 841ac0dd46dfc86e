import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { FastifyInstance } from "fastify";

/**
 * Makes ready to listen on the other addresses of a name too, as clients may try any of them. To
 * be called before the app listens; what it answers, afterwards.
 */
export function otherAddresses(app: FastifyInstance) {
  const servers: Server[] = [];
  app.addHook("preClose", async () => {
    for (const server of servers) server.close();
  });
  return async (name: string, port: number): Promise<void> => {
    const first = app.server.address();
    const isFirst = (address: string) => typeof first === "object" && first?.address === address;
    const addresses = await lookup(name, { all: true }).catch(() => []);
    for (const { address } of addresses) {
      if (!isFirst(address)) servers.push(listenFor(app, address, port));
    }
    // One that this host does not have, such as ::1 where IPv6 is off, is nobody's loss.
    await Promise.allSettled(servers.map((server) => once(server, "listening")));
  };
}

/** Its connections are the app's. */
function listenFor(app: FastifyInstance, host: string, port: number): Server {
  const options = { allowHalfOpen: true, noDelay: true };
  const server = createServer(options, (socket) => app.server.emit("connection", socket));
  return server.listen({ host, port });
}
