import net from "node:net";

/** Whether somebody takes connections at a Unix socket. */
export function connects(path) {
  return new Promise((done) => {
    const socket = net.connect(path);
    const end = (answer) => {
      socket.destroy();
      done(answer);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}
