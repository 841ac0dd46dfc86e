import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Hands the requests of a connection on one after another, each when the answer before it has been
 * sent. Node would hand them on as they come, and does not tell of an answer that has still to wait
 * for others when the connection is closed: whatever was held for it would be held for ever.
 */
export function oneAtATime(handle: RequestHandler): RequestHandler {
  const latest = new WeakMap<Socket, ServerResponse>();
  return (request, response) => {
    const { socket } = request;
    const before = latest.get(socket);
    latest.set(socket, response);
    const begin = () => {
      // The connection may be gone, or the answer before may have been its last.
      if (socket.writable) handle(request, response);
    };
    if (before === undefined || before.closed) begin();
    else before.once("close", begin);
  };
}
