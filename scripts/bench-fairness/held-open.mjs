import { get } from "node:http";
import { connect } from "node:net";

const BYTE_EVERY_MS = 1000;

/** Event streams that are read and never ended, spread over the keys. */
export function openStreams({ url, tokens, count }, amount) {
  const open = Array.from({ length: amount }, (_, at) => {
    const headers = { authorization: `Bearer ${tokens[at % tokens.length]}` };
    const stream = get(`${url}/v1/events/stream`, { headers, agent: false }, (response) => {
      count(response.statusCode);
      response.resume();
      response.on("error", () => {});
    });
    return stream.on("error", () => count("error"));
  });
  return () => {
    for (const each of open) each.destroy();
  };
}

/** Connections with a request that never ends: a byte now and then, and again when cut off. */
export function openConnections({ url, count }, amount) {
  const { hostname, port } = new URL(url);
  let isOver = false;
  const sockets = new Set();
  const open = () => {
    const socket = connect(Number(port), hostname);
    sockets.add(socket);
    socket.write("GET /v1/vpcs HTTP/1.1\r\nhost: bench\r\nx-slow: ");
    socket.on("error", () => count("error"));
    socket.on("close", () => {
      sockets.delete(socket);
      count("cut off");
      if (!isOver) setTimeout(open, BYTE_EVERY_MS);
    });
  };
  for (let at = 0; at < amount; at += 1) open();
  const timer = setInterval(() => {
    for (const socket of sockets) socket.write("a");
  }, BYTE_EVERY_MS);
  return () => {
    isOver = true;
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
  };
}
