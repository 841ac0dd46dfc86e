import { afterAll, beforeAll, expect, it } from "vitest";
import { type Daemon, startDaemon } from "../../support/daemon.js";
import { RestClient, type Vpc, waitFor } from "../../support/rest.js";
import { type Sandbox, startSandbox } from "../../support/sandbox.js";

const LIMIT_MS = 20_000;

let sandbox: Sandbox;
/** Holds the switch, with a copy of the other one's data directory. */
let holder: Daemon;
/** Had it before, and was started again when the copy was at work. */
let other: Daemon;
let known: Vpc;
let token: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  other = await startDaemon({ sandbox, until: "/livez" });
  const tenant = await new RestClient(other.url, other.operatorToken).createTenant();
  token = tenant.token;
  known = await tenant.call("POST", "/vpcs", { cidrBlock: "10.1.0.0/16" });
  await other.stop();
  holder = await startDaemon({ sandbox, copyOf: other.dataDir });
  await other.restart();
});

afterAll(async () => {
  await holder?.dispose();
  await other?.dispose();
  await sandbox?.stop();
});

it("one of two daemons of an installation works, the other answers reads and says why", async () => {
  const made = await client(holder).call<Vpc>("POST", "/vpcs", { cidrBlock: "10.2.0.0/16" });
  await waitFor(() => isProgrammed(made.id), LIMIT_MS, "the VPC's bridge");
  expect(await client(other).get<Vpc>(`/vpcs/${known.id}`)).toMatchObject({ bridge: known.bridge });
  const refused = await client(other).refused("POST", "/vpcs", { cidrBlock: "10.3.0.0/16" });
  expect(refused).toMatchObject({ status: 503, code: "SwitchHeldByAnother" });
  expect(refused.detail, "tenants are not told of the host").not.toContain(`${holder.pid}`);
  const ready = await fetch(`${other.url}/readyz`, { headers: { connection: "close" } });
  expect(ready.status).toBe(503);
  const text = await ready.text();
  expect(text).toContain(`pid ${holder.pid} on `);
  expect(text).toContain(holder.dataDir);
  expect(await sandbox.vsctl("list-br")).toContain(made.bridge);
  expect(await isReady(holder)).toBe(true);
});

it("a holder that is stopped keeps the switch, and its end hands it on without a restart", async () => {
  process.kill(holder.pid, "SIGSTOP");
  const [status] = await client(other).send("POST", "/vpcs", { cidrBlock: "10.3.0.0/16" });
  expect(status).toBe(503);
  expect(await isReady(other)).toBe(false);
  await holder.kill();
  await waitFor(() => isReady(other), LIMIT_MS, "the one that waited");
  const made = await client(other).call<Vpc>("POST", "/vpcs", { cidrBlock: "10.4.0.0/16" });
  const bridge = async () => (await sandbox.vsctl("list-br")).includes(made.bridge);
  await waitFor(bridge, LIMIT_MS, "a bridge of the one that waited");
});

function client({ url }: Daemon): RestClient {
  return new RestClient(url, token);
}

async function isProgrammed(vpcId: string): Promise<boolean> {
  const { dataPlane } = await client(holder).get<Vpc>(`/vpcs/${vpcId}`);
  return dataPlane.state === "programmed";
}

async function isReady({ url }: Daemon): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`, { headers: { connection: "close" } });
  await answer.arrayBuffer();
  return answer.ok;
}
