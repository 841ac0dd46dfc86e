import type { Host } from "../../support/netns.js";

const PYTHON = "/usr/bin/python3";

/** Sends raw frames as they are. */
export async function sendFrames(from: Host, frames: readonly Buffer[]): Promise<void> {
  await from.exec(
    PYTHON,
    "-c",
    [
      "import socket, sys",
      "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
      "s.bind(('eth0', 0))",
      "for frame in sys.argv[1:]: s.send(bytes.fromhex(frame))",
    ].join("\n"),
    ...frames.map((frame) => frame.toString("hex")),
  );
}

/** Sends UDP datagrams of 50 bytes, each from a port of its own: a connection each. */
export async function sendDatagrams(
  from: Host,
  to: string,
  port: number,
  count: number,
): Promise<void> {
  await from.exec(
    PYTHON,
    "-c",
    [
      "import socket",
      `for _ in range(${count}):`,
      "  s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
      `  s.sendto(b'x' * 50, ('${to}', ${port}))`,
      "  s.close()",
    ].join("\n"),
  );
}
