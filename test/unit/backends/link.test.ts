import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { FlowMonitor } from "../../../src/backends/ovs/flow-watch/flow-monitor.js";
import { JsonRpc } from "../../../src/backends/ovs/json-rpc.js";
import { Link } from "../../../src/backends/ovs/link.js";
import { Ovsdb } from "../../../src/backends/ovs/ovsdb.js";
import { Unixctl } from "../../../src/backends/ovs/unixctl.js";
import { SettlementBoard } from "../../../src/reconcile/settlement-board.js";
import { type Request, type RpcServer, reply, rpcServer } from "./rpc-server.js";

const LIMIT_MS = 60_000;

let server: RpcServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

class Opened {
  closed = 0;
  close(): void {
    this.closed += 1;
  }
}

it("closes a connection that it loses", async () => {
  const opened = new Opened();
  let lose: (error: Error) => void = () => {};
  const downs: Error[] = [];
  const link = new Link<Opened>({
    open: async (lost) => {
      lose = lost;
      return opened;
    },
    up: () => {},
    down: (error) => downs.push(error),
  });
  link.start();
  expect(await link.ready()).toBe(opened);
  lose(new Error("gone"));
  link.stop();
  expect({ closed: opened.closed, downs: downs.length }).toEqual({ closed: 1, downs: 1 });
});

it("closes what was lost while it was being opened, and what comes after its stop", async () => {
  const [early, late] = [new Opened(), new Opened()];
  const lostAtOnce = new Link<Opened>({
    open: async (lost) => {
      lost(new Error("gone"));
      return early;
    },
    up: () => expect.unreachable(),
    down: () => {},
  });
  lostAtOnce.start();
  await expect(lostAtOnce.ready()).rejects.toThrow("gone");
  lostAtOnce.stop();
  expect(early.closed).toBe(1);
  let finish: (opened: Opened) => void = () => {};
  const opening = new Promise<Opened>((resolve) => {
    finish = resolve;
  });
  const slow = new Link<Opened>({
    open: () => opening,
    up: () => expect.unreachable(),
    down: () => {},
  });
  slow.start();
  const waiting = slow.ready();
  slow.stop();
  await expect(waiting, "of an attempt that has not ended").rejects.toThrow(/stopped/);
  await expect(slow.ready()).rejects.toThrow(/stopped/);
  finish(late);
  await expect.poll(() => late.closed).toBe(1);
});

it("ends both connections to the control socket when one of them breaks, and who waits", async () => {
  const lost: Error[] = [];
  const unixctl = await control((error) => lost.push(error));
  const pending = [unixctl.run("wait", []), unixctl.runBeside("wait", [])];
  const ended = Promise.allSettled(pending);
  await expect.poll(() => waitsOf(server)).toBe(2);
  server?.sockets[1]?.destroy();
  await expect.poll(() => lost.length).toBe(1);
  // As the link does.
  unixctl.close();
  for (const { status } of await ended) expect(status).toBe("rejected");
  const [first] = server?.sockets ?? [];
  if (first !== undefined && !first.destroyed) await once(first, "close");
});

it("leaves no connection to the control socket behind that was opened halfway", async () => {
  const opening = control(
    () => {},
    (_, socket) => socket.destroy(),
  );
  await expect(opening).rejects.toThrow();
  await expect.poll(() => server?.sockets.every(({ destroyed }) => destroyed)).toBe(true);
});

it("keeps nobody waiting for an answer or a row of a connection that is closed", async () => {
  server = await rpcServer(database);
  const options = { address: `unix:${server.path}`, lock: "lock", wantsLock: true };
  const open = () =>
    Ovsdb.open({ ...options, lost: () => {}, changed: () => {}, lockChanged: () => {} });
  const closed = await open();
  const pending = [
    closed.until(() => false, LIMIT_MS),
    closed.transact([{ op: "comment", comment: "never answered" }]),
  ];
  const ended = Promise.allSettled(pending);
  closed.close();
  for (const { status } of await ended) expect(status).toBe("rejected");
  await expect(closed.until(() => false, LIMIT_MS)).rejects.toThrow(/closed/);
  await expect(closed.transact([])).rejects.toThrow(/closed/);

  const lost = await open();
  const waiting = lost.until(() => false, LIMIT_MS);
  const over = Promise.allSettled([waiting]);
  for (const socket of server.sockets) socket.destroy();
  await over;
  await expect(waiting).rejects.toThrow();
  await expect(lost.until(() => false, LIMIT_MS)).rejects.toThrow();
});

it("takes a peer that does not answer for lost, and ends who waits for it", async () => {
  server = await rpcServer(() => {});
  const lost: Error[] = [];
  const address = { kind: "unix", path: server.path } as const;
  const rpc = await JsonRpc.connect(address, LIMIT_MS, { lost: (error) => lost.push(error) });
  const pending = rpc.request("transact", [], LIMIT_MS);
  const ended = Promise.allSettled([pending]);
  await rpc.probe("echo", 20);
  await ended;
  await expect(pending).rejects.toThrow("does not answer");
  expect(lost).toHaveLength(1);
});

it("keeps nobody waiting for a monitor of a bridge that does not speak", async () => {
  server = await rpcServer(() => {});
  const handlers = { updates: () => {}, ports: () => {}, lost: () => {} };
  const breakOff = async () => {
    await expect.poll(() => server?.sockets.length).toBe(1);
    server?.sockets[0]?.destroy();
  };
  const opening = FlowMonitor.open(server.path, handlers);
  await Promise.all([expect(opening).rejects.toThrow(), breakOff()]);
});

it("lets whoever waits for a peering go when it closes, and whoever comes later", async () => {
  const board = new SettlementBoard();
  const waiting = [board.next("pcx-1", LIMIT_MS), board.next("pcx-2", LIMIT_MS)];
  board.close();
  await Promise.all([...waiting, board.next("pcx-1", LIMIT_MS)]);
  expect(board.closed).toBe(true);
});

/** A control socket that answers `version`, unless told otherwise, and nothing else. */
async function control(
  lost: (error: Error) => void,
  answer: Parameters<typeof rpcServer>[0] = (request, socket) => {
    if (request.method === "version") reply(socket, request, "ovs-vswitchd 3.1.0");
  },
): Promise<Unixctl> {
  server = await rpcServer(answer, (dir) => join(dir, "ovs-vswitchd.7.ctl"));
  await mkdir(server.dir, { recursive: true });
  await writeFile(join(server.dir, "ovs-vswitchd.pid"), "7\n");
  return Unixctl.open(server.dir, lost);
}

function waitsOf(of: RpcServer | undefined): number {
  return of?.requests.filter(({ method }) => method === "wait").length ?? 0;
}

/** Answers what opens a connection, and no transaction. */
function database(request: Request, socket: Parameters<typeof reply>[0]): void {
  const answers: Record<string, unknown> = {
    lock: { locked: true },
    get_schema: { tables: {} },
    monitor: {},
  };
  if (request.method in answers) reply(socket, request, answers[request.method]);
}
