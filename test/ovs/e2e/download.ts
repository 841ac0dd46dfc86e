import { startPython } from "../program.js";
import type { Workload } from "./workload.js";

/** With keep-alive, and without. */
const PORTS = [4400, 4401] as const;

const SERVE = `
import socket, sys, threading, time
def serve(c):
  while True:
    c.sendall(b"x" * 512)
    time.sleep(0.01)
def accept(s):
  while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
threading.Thread(target=accept, args=(socket.create_server(("0.0.0.0", int(sys.argv[1]))),), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
`;

const FETCH = `
import socket, sys, threading
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
s.settimeout(None)
if sys.argv[3] == "keep-alive":
  for option, seconds in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 100)):
    s.setsockopt(socket.IPPROTO_TCP, option, seconds)
  s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
got = 0
def read():
  global got
  while True: got += len(s.recv(65536))
threading.Thread(target=read, daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
  if line.strip() == "say": s.sendall(b"!")
  print(got, flush=True)
`;

/** A TCP connection in which only the side that was called sends. */
export interface Download {
  /** Bytes that have come in at the caller. */
  received(): Promise<number>;
  /** The caller sends a byte. */
  say(): Promise<void>;
  end(): void;
}

/** @param how with `keep-alive`, the caller asks after a second of silence whether it still lives */
export async function startDownload(
  caller: Workload,
  called: Workload,
  how: "silent" | "keep-alive",
): Promise<Download> {
  const port = String(how === "silent" ? PORTS[1] : PORTS[0]);
  const server = await startPython(called.host, "-c", SERVE, port);
  const client = await startPython(caller.host, "-c", FETCH, called.ip, port, how);
  return {
    received: async () => Number(await client.ask("")),
    say: async () => {
      await client.ask("say");
    },
    end: () => {
      client.end();
      server.end();
    },
  };
}
