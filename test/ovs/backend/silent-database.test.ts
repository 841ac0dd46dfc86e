import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { slice, vpcIntent } from "../../support/intents.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";
import { ALL_WELL, eventually, foundAgain, type Installation, install, lost } from "./fixture.js";

const ONE = slice("all", [vpcIntent(1, 1)]);
const TWO = slice("all", [vpcIntent(1, 1), vpcIntent(2, 1)]);

let sandbox: Sandbox;
let proxy: Proxy;
let installation: Installation;

beforeAll(async () => {
  sandbox = await startSandbox();
  proxy = await startProxy(sandbox.ovsdb.slice("unix:".length));
  installation = await install({ ...sandbox, ovsdb: proxy.address });
  expect(await installation.reconcile(ONE)).toMatchObject(ALL_WELL);
});

afterAll(async () => {
  await installation.stop();
  proxy.stop();
  await sandbox.stop();
});

it("leaves a database over tcp that falls silent, and finds it again on another connection", async () => {
  const [before] = proxy.clients;
  proxy.swallowAll();
  await lost(installation);
  expect(installation.backend.fence().kind).not.toBe("ours");
  await eventually(() => before?.destroyed === true);
  await foundAgain(installation);
  await eventually(() => installation.backend.fence().kind === "ours");
  expect(await installation.reconcile(TWO)).toMatchObject(ALL_WELL);
});

interface Proxy {
  /** As `PATCHBAY_OVSDB`. */
  readonly address: string;
  readonly clients: readonly Socket[];
  /** From now on nothing gets through on the connections that are open, either way. */
  swallowAll(): void;
  stop(): void;
}

async function startProxy(path: string): Promise<Proxy> {
  const clients: Socket[] = [];
  const swallowed = new Set<Socket>();
  const server = createServer((client) => {
    clients.push(client);
    const upstream = connect({ path });
    client.on("data", (chunk) => swallowed.has(client) || upstream.write(chunk));
    upstream.on("data", (chunk) => swallowed.has(client) || client.write(chunk));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => one.destroy());
      one.on("close", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `tcp:127.0.0.1:${port}`,
    clients,
    swallowAll: () => {
      for (const client of clients) swallowed.add(client);
    },
    stop: () => {
      for (const client of clients) client.destroy();
      server.close();
    },
  };
}
