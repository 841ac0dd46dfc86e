import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { DaemonNursery } from "./process.js";

vi.setConfig({ testTimeout: 90_000 });

const DESCRIPTORS = 256;
const nursery = new DaemonNursery();
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await nursery.clear();
});

/** Connects and sends a part of a request, or nothing. */
async function occupy({ port, hostname: host }: URL, text: string): Promise<void> {
  const socket = connect({ port: Number(port), host });
  sockets.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
}

test("one who opens more connections than there are descriptors shuts nobody out", async () => {
  const dir = await nursery.dataDir();
  const settings = { PATCHBAY_DATA_DIR: dir.path, PATCHBAY_RATE_LIMIT_PER_SECOND: "0" };
  const daemon = nursery.spawn(settings, { descriptors: DESCRIPTORS });
  const url = new URL(await daemon.listening);
  const token = await dir.operatorToken();
  const parts = ["", "GET / HTTP/1.1\r\nx: ", "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"];
  for (const part of parts) {
    await Promise.all(Array.from({ length: DESCRIPTORS }, () => occupy(url, part)));
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      // A connection that is kept is idle, and may be closed in favour of another.
      connection: "close",
    };
    const body = JSON.stringify({ name: "gets in" });
    const made = await fetch(new URL("/v1/tenants", url), { method: "POST", headers, body });
    expect(made.status).toBe(201);
    const ready = await fetch(new URL("/readyz", url), { headers: { connection: "close" } });
    expect(ready.status).toBe(200);
    const taken = async () => (await readdir(`/proc/${daemon.pid}/fd`)).length;
    await expect.poll(taken, { timeout: 10_000 }).toBeLessThan(DESCRIPTORS - 20);
  }
  daemon.signal("SIGTERM", "process");
  expect(await daemon.ended).toBe(0);
});
