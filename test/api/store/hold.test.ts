import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import pg from "pg";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { databaseRefusal } from "../../../src/daemon/database-refusal.js";
import { DatabaseHeldError, DatabaseHold } from "../../../src/store/database/hold.js";
import { recordingLog } from "../../support/log.js";
import { type PostgresServer, startPostgres } from "../../support/postgres.js";

const limit = { timeout: 20_000, interval: 20 };
const holds: DatabaseHold[] = [];
let server: PostgresServer;
let databaseUrl: string;

beforeAll(async () => {
  server = await startPostgres();
  databaseUrl = await server.createDatabase();
});
afterAll(async () => {
  for (const hold of holds) await hold.release();
  await server.stop();
});

function newHold(dataDir: string): DatabaseHold {
  const { signal } = new AbortController();
  const hold = new DatabaseHold({ databaseUrl, dataDir, log: recordingLog(), signal });
  holds.push(hold);
  return hold;
}

/** The lock of a daemon, asked for as one that waits in the server: it is the next to have it. */
const LOCK = "SELECT pg_advisory_lock(1885434724, 1)";

async function rivalNamed(name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: name });
  await client.connect();
  return client;
}

async function ask(sql: string): Promise<Array<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}

/** Ends the connections of whoever holds the database, as a failure of the network does. */
const cutOff = () =>
  ask("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted");

it("is one daemon's: a second one is refused at once, and told who lives beside it", async () => {
  const name = `patchbay ${process.ppid}@${hostname()} /first`;
  const first = await rivalNamed(name);
  await first.query(LOCK);
  const second = newHold("/second").take();
  await expect(second).rejects.toThrow(DatabaseHeldError);
  await expect(second).rejects.toThrow(name);
  await first.end();
  const third = newHold("/third");
  await third.take();
  expect(databaseRefusal(third)).toBeUndefined();
  await third.release();
});

it("is waited for while its holder may be a former life of this one", async () => {
  const former = await rivalNamed(`patchbay ${process.pid}@${hostname()} /mine`);
  await former.query(LOCK);
  const hold = newHold("/mine");
  const taken = hold.take();
  await vi.waitFor(() => expect(hold.state.kind).toBe("another"), limit);
  await former.end();
  await taken;
  await hold.release();
});

it("is had again when the connection breaks, and refuses changes until then", async () => {
  const hold = newHold("/mine");
  await hold.take();
  const regained = vi.fn<() => Promise<void>>(async () => undefined);
  hold.onRegained = regained;
  await cutOff();
  await vi.waitFor(() => expect(regained).toHaveBeenCalledOnce(), limit);
  expect(hold.state.kind).toBe("held");
  await server.kill();
  await vi.waitFor(() => expect(hold.state).toHaveProperty("cause"), limit);
  // Told as what it is, and not as if somebody had taken the database.
  expect(databaseRefusal(hold)).toMatchObject({ code: "DatabaseUnreachable" });
  await server.restart();
  await vi.waitFor(() => expect(regained).toHaveBeenCalledTimes(2), limit);
  expect(databaseRefusal(hold)).toBeUndefined();
  await hold.release();
});

it("is left to who has taken it meanwhile, until that one ends", async () => {
  const mine = newHold("/mine");
  await mine.take();
  const yielded = vi.fn<() => void>();
  mine.onYielded = yielded;
  const rival = await rivalNamed("rival");
  const waiting = rival.query(LOCK);
  await cutOff();
  await waiting;
  await vi.waitFor(() => expect(mine.state).toMatchObject({ kind: "another" }), limit);
  expect(mine.state).toMatchObject({ holder: expect.stringContaining("rival") });
  expect(databaseRefusal(mine)).toMatchObject({ code: "DatabaseHeldByAnother" });
  expect(yielded).toHaveBeenCalledOnce();
  await rival.end();
  await vi.waitFor(() => expect(mine.state.kind).toBe("held"), limit);
  await mine.release();
});

it("is not another's while the server still has a session of its own that is dead", async () => {
  const mine = newHold("/mine");
  await mine.take();
  const pid = await holderPid();
  const kinds = new Set<string>();
  const watching = setInterval(() => kinds.add(mine.state.kind), 5);
  process.kill(pid, "SIGSTOP");
  try {
    await vi.waitFor(() => expect(mine.state.kind).toBe("lost"), limit);
    await vi.waitFor(async () => expect(await hasSignal(pid)).toBe(true), limit);
    expect(databaseRefusal(mine)).toMatchObject({ code: expect.not.stringContaining("Another") });
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await vi.waitFor(() => expect(mine.state.kind).toBe("held"), limit);
  clearInterval(watching);
  expect([...kinds].sort()).toEqual(["held", "lost"]);
  expect(await holderPid()).not.toBe(pid);
  await mine.release();
});

async function holderPid(): Promise<number> {
  const [row] = await ask("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted");
  return Number(row?.["pid"]);
}

/** Whether a stopped process has been asked to end. */
async function hasSignal(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const pending = /^ShdPnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0";
  return (BigInt(`0x${pending}`) & (1n << 14n)) !== 0n;
}
