import type { Host } from "../support/netns.js";
import { waitFor } from "../support/rest.js";
import { type Program, startPython } from "./program.js";

const PYTHON = "/usr/bin/python3";

const PATIENCE_SECONDS = 0.7;
const SEND_LIMIT_MS = 20_000;

/** Whether a TCP connection to a port that is listened on is made, and echoes. */
export async function connects(from: Host, to: Host, port: number): Promise<boolean> {
  const server = await start(to, [...SERVE, `serve(${port})`]);
  const answer = await from.exec(
    PYTHON,
    "-c",
    [
      "import socket",
      "try:",
      `  s = socket.create_connection(('${to.ip}', ${port}), ${PATIENCE_SECONDS})`,
      `  s.settimeout(${PATIENCE_SECONDS})`,
      "  s.sendall(b'hello')",
      "  print(s.recv(9) == b'hello')",
      "except OSError: print(False)",
    ].join("\n"),
  );
  server.end();
  return answer === "True";
}

const SERVE = [
  "import socket, sys, threading",
  "def echo(c):",
  "  while True:",
  "    data = c.recv(4096)",
  "    if not data: return",
  "    c.sendall(data)",
  "def serve(port):",
  "  s = socket.create_server(('0.0.0.0', port))",
  "  print('ready', flush=True)",
  "  while True: threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()",
];

/** A host that listens on some ports, echoes, and tries others'. */
export interface Station {
  readonly ip: string;
  /** Which of these answer, all tried at once. */
  reaches(targets: readonly (readonly [ip: string, port: number])[]): Promise<boolean[]>;
  end(): void;
}

export async function station(host: Host, ports: readonly number[]): Promise<Station> {
  const program = await start(host, [
    ...SERVE.filter((line) => !line.includes("ready")),
    "import json",
    `for port in ${JSON.stringify(ports)}:`,
    "  threading.Thread(target=serve, args=(port,), daemon=True).start()",
    "def attempt(results, i, ip, port):",
    "  try:",
    `    s = socket.create_connection((ip, port), ${PATIENCE_SECONDS})`,
    `    s.settimeout(${PATIENCE_SECONDS})`,
    "    s.sendall(b'hello')",
    "    results[i] = s.recv(9) == b'hello'",
    "  except OSError: pass",
    "print('ready', flush=True)",
    "for line in sys.stdin:",
    "  targets = json.loads(line)",
    "  results = [False] * len(targets)",
    "  each = [threading.Thread(target=attempt, args=(results, i, *t)) for i, t in enumerate(targets)]",
    "  for thread in each: thread.start()",
    "  for thread in each: thread.join()",
    "  print(json.dumps(results), flush=True)",
  ]);
  return {
    ip: host.ip,
    reaches: async (targets) => JSON.parse(await program.ask(JSON.stringify(targets))),
    end: () => program.end(),
  };
}

export interface Held {
  /** Whether what is sent now comes back soon. */
  echoes(): Promise<boolean>;
  end(): void;
}

/** Opens a TCP connection to a port that is listened on by nobody yet, and keeps it. */
export async function hold(from: Host, to: Host, port: number): Promise<Held> {
  const server = await start(to, [...SERVE, `serve(${port})`]);
  const held = await holdWith(from, to.ip, port);
  const end = () => {
    held.end();
    server.end();
  };
  return { ...held, end };
}

/** Opens a TCP connection to a station and keeps it. */
export async function holdWith(from: Host, ip: string, port: number): Promise<Held> {
  const client = await start(from, [
    "import select, socket, sys",
    `s = socket.create_connection(('${ip}', ${port}), 5)`,
    "print('ready', flush=True)",
    "for line in sys.stdin:",
    "  s.sendall(b'x' * 100)",
    "  got = 0",
    "  while got < 100:",
    `    if not select.select([s], [], [], ${PATIENCE_SECONDS})[0]: break`,
    "    got += len(s.recv(4096))",
    "  print(got >= 100, flush=True)",
  ]);
  return {
    echoes: async () => (await client.ask("")) === "True",
    end: () => client.end(),
  };
}

export interface Answerer {
  /** Waits until so many more datagrams were sent. */
  sentMore(count: number): Promise<void>;
  end(): void;
}

/** One datagram that is answered by a stream of them. */
export interface Talk extends Answerer {
  /** How many of the stream have come in. */
  heard(): Promise<number>;
  /** Another host sends the stream from now on, with the addresses and ports of the first. */
  answerInstead(host: Host): Promise<Answerer>;
}

const STREAM = [
  "import socket, sys, threading, time",
  "sent = 0",
  "def stream(s, to):",
  "  global sent",
  "  while True:",
  "    try: s.sendto(b'x' * 50, to)",
  "    except OSError: pass",
  "    sent += 1",
  "    time.sleep(0.005)",
  "def answer():",
  "  print('ready', flush=True)",
  "  for line in sys.stdin: print(sent, flush=True)",
];

export async function talk(from: Host, to: Host, port: number): Promise<Talk> {
  const answerer = await start(to, [
    ...STREAM,
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    `s.bind(('0.0.0.0', ${port}))`,
    "def wait():",
    "  stream(s, s.recvfrom(99)[1])",
    "threading.Thread(target=wait, daemon=True).start()",
    "answer()",
  ]);
  const listener = await start(from, [
    "import socket, sys, threading",
    "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    `s.bind(('0.0.0.0', ${port + 1}))`,
    "heard = 0",
    "def listen():",
    "  global heard",
    "  while True:",
    "    s.recvfrom(99); heard += 1",
    "threading.Thread(target=listen, daemon=True).start()",
    `s.sendto(b'hello', ('${to.ip}', ${port}))`,
    "print('ready', flush=True)",
    "for line in sys.stdin: print(heard, flush=True)",
  ]);
  return {
    ...counting(answerer),
    heard: async () => Number(await listener.ask("")),
    answerInstead: async (host) => {
      answerer.end();
      return counting(
        await start(host, [
          ...STREAM,
          "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
          `s.bind(('0.0.0.0', ${port}))`,
          `threading.Thread(target=stream, args=(s, ('${from.ip}', ${port + 1})), daemon=True).start()`,
          "answer()",
        ]),
      );
    },
    end: () => {
      answerer.end();
      listener.end();
    },
  };
}

function counting(program: Program): Answerer {
  const sent = async () => Number(await program.ask(""));
  return {
    sentMore: async (count) => {
      const before = await sent();
      await waitFor(async () => (await sent()) >= before + count, SEND_LIMIT_MS, "datagrams");
    },
    end: () => program.end(),
  };
}

function start(host: Host, script: readonly string[]): Promise<Program> {
  return startPython(host, "-c", script.join("\n"));
}
