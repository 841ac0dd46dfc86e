import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, rename, rm, writeFile } from "node:fs/promises";
import { Agent, request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, test, vi } from "vitest";
import { cert, key, renewed } from "../../support/certificate.js";
import { DaemonNursery, type DaemonProcess, MAIN } from "./process.js";

vi.setConfig({ testTimeout: 60_000 });

const LIMIT_MS = 30_000;
const NEW_TOKEN = "a-token-that-was-put-in-place";

const nursery = new DaemonNursery();
afterEach(() => nursery.clear());

async function whoami(url: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${url}/v1/whoami`, { headers })).status;
}

function linesWith({ stdout }: DaemonProcess, message: string): Record<string, unknown>[] {
  return stdout()
    .split("\n")
    .filter((line) => line.includes(message))
    .map((line) => JSON.parse(line));
}

/** A client that says nothing keeps it from ending. */
async function heldBackAtItsStop() {
  const { path } = await nursery.dataDir();
  const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: path });
  const url = new URL(await daemon.listening);
  const silent = connect(Number(url.port), url.hostname);
  await once(silent, "connect");
  daemon.signal("SIGTERM", "process");
  await untilLogged(daemon, '"msg":"stopping"');
  return { daemon, silent };
}

/** Waits until the log has said this so many times. */
async function untilLogged(daemon: DaemonProcess, message: string, times = 1): Promise<void> {
  const said = () => linesWith(daemon, message).length;
  await expect.poll(said, { timeout: LIMIT_MS, interval: 10, message }).toBe(times);
}

/** As an operator does it: the file is complete at every moment. */
async function replaceToken(dataDir: string, text: string, mode = 0o600): Promise<void> {
  const draft = join(dataDir, "draft");
  await writeFile(draft, text);
  await chmod(draft, mode);
  await rename(draft, join(dataDir, "operator-token"));
}

describe("SIGHUP", () => {
  test("takes the operator's token from its file anew; the old one is refused", async () => {
    const dir = await nursery.dataDir();
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: dir.path });
    const url = await daemon.listening;
    const old = await dir.operatorToken();
    expect(await whoami(url, old)).toBe(200);
    const headers = { authorization: `Bearer ${old}` };
    const stream = await fetch(`${url}/v1/events/stream?after=0`, { headers });
    expect(stream.status).toBe(200);

    await replaceToken(dir.path, `${NEW_TOKEN}\n`);
    expect(await whoami(url, old)).toBe(200);
    daemon.signal("SIGHUP", "process");
    await untilLogged(daemon, "the operator's token was reloaded");
    expect(await whoami(url, old)).toBe(401);
    expect(await whoami(url, NEW_TOKEN)).toBe(200);
    // It ends by itself, or this waits for ever.
    await stream.text();
    expect(daemon.stdout()).not.toContain(NEW_TOKEN);

    daemon.signal("SIGHUP", "process");
    await untilLogged(daemon, "the operator's token was reloaded", 2);
    expect(linesWith(daemon, "token was reloaded")).toMatchObject([
      { isNew: true },
      { isNew: false },
    ]);
  });

  test("a token's file that cannot be used changes nothing, and is told", async () => {
    const dir = await nursery.dataDir();
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: dir.path });
    const url = await daemon.listening;
    const old = await dir.operatorToken();
    const spoilt: ReadonlyArray<readonly [reason: string, spoil: () => Promise<void>]> = [
      ["open to other users", () => replaceToken(dir.path, `${NEW_TOKEN}\n`, 0o644)],
      ["cut short or garbled", () => replaceToken(dir.path, "short\n")],
      ["is missing", () => rm(join(dir.path, "operator-token"))],
    ];
    for (const [at, [reason, spoil]] of spoilt.entries()) {
      await spoil();
      daemon.signal("SIGHUP", "process");
      await untilLogged(daemon, "the operator's token stays as it was", at + 1);
      const told = { level: 50, reason: expect.stringContaining(reason) };
      expect(linesWith(daemon, "stays as it was").at(-1)).toMatchObject(told);
      expect(await whoami(url, old)).toBe(200);
      expect(await whoami(url, NEW_TOKEN)).toBe(401);
    }
    expect(daemon.stdout()).not.toContain("refusing to start");
  });

  test("a token of the settings stays, whatever the file says", async () => {
    const dir = await nursery.dataDir();
    const given = "a-token-of-the-settings";
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: dir.path, PATCHBAY_OPERATOR_TOKEN: given });
    const url = await daemon.listening;
    await replaceToken(dir.path, `${NEW_TOKEN}\n`);
    daemon.signal("SIGHUP", "process");
    await untilLogged(daemon, "PATCHBAY_OPERATOR_TOKEN was set");
    expect(await whoami(url, given)).toBe(200);
    expect(await whoami(url, NEW_TOKEN)).toBe(401);
  });

  test("from the first moment of a start on it ends nothing, and counts", async () => {
    const dir = await nursery.dataDir();
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: dir.path });
    let heard = false;
    void daemon.listening.then(() => {
      heard = true;
    });
    // From when the program itself runs, which no log can tell that early.
    await untilCaught(daemon.pid, "SIGHUP");
    expect(heard).toBe(false);
    daemon.signal("SIGHUP", "process");
    const url = await daemon.listening;
    await untilLogged(daemon, "the operator's token was reloaded");
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test("while it stops nothing is reloaded, and it ends as it was told to", async () => {
    const { daemon, silent } = await heldBackAtItsStop();
    daemon.signal("SIGHUP", "process");
    expect(await daemon.ended).toBe(0);
    expect(linesWith(daemon, "stopping: nothing is reloaded")).toHaveLength(1);
    silent.destroy();
  });

  test("from a terminal that is closed it stops the daemon", async () => {
    const { path } = await nursery.dataDir();
    const environment = {
      PATH: process.env["PATH"] ?? "",
      PATCHBAY_LISTEN: "127.0.0.1:0",
      PATCHBAY_BACKEND: "noop",
      PATCHBAY_DATA_DIR: path,
    };
    const command = `exec ${process.execPath} ${MAIN}`;
    const terminal = spawn("script", ["-qec", command, "/dev/null"], { env: environment });
    let shown = "";
    terminal.stdout.on("data", (chunk) => {
      shown += String(chunk);
    });
    await expect.poll(() => shown, { timeout: LIMIT_MS }).toContain("listening");
    const lock = await readFile(join(path, "daemon.lock"), "utf8");
    const pid = Number(/\d+/.exec(lock)?.[0]);
    expect(isThere(pid)).toBe(true);
    terminal.kill("SIGKILL");
    await expect.poll(() => isThere(pid), { timeout: LIMIT_MS }).toBe(false);
  });
});

describe("SIGHUP with TLS", () => {
  async function served() {
    const dir = await nursery.dataDir();
    const certFile = join(dir.path, "cert.pem");
    const keyFile = join(dir.path, "key.pem");
    const put = async (pair: { cert: string; key: string }) => {
      await writeFile(certFile, pair.cert);
      await writeFile(keyFile, pair.key, { mode: 0o600 });
    };
    await put({ cert, key });
    const tls = { PATCHBAY_TLS_CERT: certFile, PATCHBAY_TLS_KEY: keyFile };
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: dir.path, ...tls });
    return { daemon, put, url: new URL(await daemon.listening) };
  }

  /** The certificate that a new connection is shown. */
  async function shown({ port }: URL): Promise<string | undefined> {
    const options = { port: Number(port), host: "127.0.0.1", rejectUnauthorized: false };
    const socket = connectTls(options);
    await once(socket, "secureConnect");
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return raw.toString("base64");
  }

  function bodyOf(pem: string): string {
    return pem.replace(/-----.*-----|\s/g, "");
  }

  test("new connections get the new certificate, and those that are there go on", async () => {
    const { daemon, put, url } = await served();
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    const ask = async () => {
      const request = httpsRequest(new URL("/livez", url), { agent });
      request.end();
      const [answer] = await once(request, "response");
      answer.resume();
      await once(answer, "end");
      return { status: answer.statusCode, again: request.reusedSocket };
    };
    expect(await shown(url)).toBe(bodyOf(cert));
    expect(await ask()).toEqual({ status: 200, again: false });
    await put(renewed);
    expect(await shown(url)).toBe(bodyOf(cert));
    daemon.signal("SIGHUP", "process");
    await untilLogged(daemon, "the certificate was reloaded");
    expect(linesWith(daemon, "certificate was reloaded")).toMatchObject([
      { subject: "CN=localhost", validTo: expect.any(String) },
    ]);
    expect(await shown(url)).toBe(bodyOf(renewed.cert));
    expect(await ask()).toEqual({ status: 200, again: true });
    agent.destroy();
  });

  test("a certificate that cannot be used changes nothing, and is told", async () => {
    const { daemon, put, url } = await served();
    const spoilt = [
      { cert: renewed.cert, key, reason: "key values mismatch" },
      { cert: "none\n", key, reason: "cert.pem" },
      { cert: "", key, reason: "cert.pem" },
      { cert, key: "", reason: "key.pem" },
    ];
    for (const [at, { reason, ...pair }] of spoilt.entries()) {
      await put(pair);
      daemon.signal("SIGHUP", "process");
      await untilLogged(daemon, "the certificate stays as it was", at + 1);
      const told = { level: 50, reason: expect.stringContaining(reason) };
      expect(linesWith(daemon, "stays as it was").at(-1)).toMatchObject(told);
      expect(await shown(url)).toBe(bodyOf(cert));
    }
    await put(renewed);
    daemon.signal("SIGHUP", "process");
    await untilLogged(daemon, "the certificate was reloaded");
    expect(await shown(url)).toBe(bodyOf(renewed.cert));
  });
});

describe("other signals", () => {
  test("that mean nothing end nothing; SIGQUIT stops it in good order", async () => {
    const { path } = await nursery.dataDir();
    const daemon = nursery.spawn({ PATCHBAY_DATA_DIR: path });
    const url = await daemon.listening;
    daemon.signal("SIGPIPE", "process");
    for (const signal of ["SIGUSR1", "SIGUSR2", "SIGALRM"] as const) {
      daemon.signal(signal, "process");
      await untilLogged(daemon, `"signal":"${signal}"`);
    }
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(daemon.stderr()).not.toContain("Debugger");
    daemon.signal("SIGQUIT", "process");
    expect(await daemon.ended).toBe(0);
    expect(linesWith(daemon, '"msg":"stopped"')).toHaveLength(1);
  });

  test("a second one that is to stop it ends it at once, and says so", async () => {
    const { daemon, silent } = await heldBackAtItsStop();
    daemon.signal("SIGINT", "process");
    expect(await daemon.ended).toBe(1);
    expect(linesWith(daemon, "told to stop again")).toMatchObject([{ signal: "SIGINT" }]);
    silent.destroy();
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits until the process has a handler of its own for this signal. */
async function untilCaught(pid: number, signal: "SIGHUP"): Promise<void> {
  const bit = { SIGHUP: 0n }[signal];
  const caught = async () => {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const mask = /^SigCgt:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
    return ((BigInt(`0x${mask}`) >> bit) & 1n) === 1n;
  };
  await expect.poll(caught, { timeout: LIMIT_MS, interval: 1 }).toBe(true);
}
