import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { patient } from "../../support/patience.js";
import { type Sandbox, startSandbox, uniqueName } from "../../support/sandbox.js";

const SCRIPT = fileURLToPath(new URL("../../../ovs/netns.sh", import.meta.url));
const TOKEN = "a-token-for-this-test";
const NOT_FOUND = { code: "InvalidNetworkInterfaceID.NotFound", detail: "there is no such thing" };

const eniId = () => `eni-${`${uniqueName("")}${uniqueName("")}`}0`;

/** The three resources that the script reads, as the REST contract shows them. */
function resources(bridge: string, enis: Record<string, string>): Map<string, object> {
  const all = new Map<string, object>([
    ["/v1/subnets/subnet-01", { id: "subnet-01", cidrBlock: "10.9.1.0/24", tags: {} }],
    ["/v1/vpcs/vpc-01", { id: "vpc-01", tags: { bridge: "wrong" }, bridge }],
  ]);
  for (const [index, [id, privateIp]] of Object.entries(enis).entries()) {
    all.set(`/v1/network-interfaces/${id}`, {
      id,
      // Tags are free text of a tenant; the script must not take them for fields.
      tags: {
        macAddress: "ff:ff:ff:ff:ff:ff",
        privateIp: "10.9.1.99",
        secondaryPrivateIps: '["10.9.1.97"]',
      },
      name: '"privateIp":"10.9.1.98","secondaryPrivateIps":["10.9.1.96"]',
      subnetId: "subnet-01",
      vpcId: "vpc-01",
      privateIp,
      secondaryPrivateIps: index === 0 ? ["10.9.1.20", "10.9.1.21"] : [],
      macAddress: `02:00:00:00:00:0${index + 1}`,
      gateway: "10.9.1.1",
    });
  }
  return all;
}

async function serve(answers: Map<string, object>): Promise<Server> {
  const server = createServer((request, response) => {
    const known = request.headers.authorization === `Bearer ${TOKEN}`;
    const answer = known ? answers.get(request.url ?? "") : undefined;
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? NOT_FOUND));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

describe("ovs/netns.sh", () => {
  const bridge = uniqueName("pbb");
  const [one, two, strayEni] = [eniId(), eniId(), eniId()];
  const namespace = uniqueName("pbt");
  const other = uniqueName("pbt");
  let sandbox: Sandbox;
  let server: Server;
  let url: string;

  beforeAll(async () => {
    sandbox = await startSandbox();
    await sandbox.addBridge(bridge);
    await sandbox.ofctl("add-flow", bridge, "actions=NORMAL");
    server = await serve(resources(bridge, { [one]: "10.9.1.4", [two]: "10.9.1.5" }));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    for (const eni of [one, two]) await netns("detach", eni);
    server.close();
    await sandbox.stop();
  });

  function netns(...args: string[]) {
    const env = { ...sandbox.env, PATCHBAY_URL: url, PATCHBAY_TOKEN: TOKEN };
    return execa(SCRIPT, args, { env, reject: false, timeout: patient(30_000) });
  }

  const ports = async () => (await sandbox.vsctl("list-ports", bridge)).split("\n").filter(Boolean);

  async function namespaces(): Promise<string[]> {
    const { stdout } = await execa("ip", ["netns", "list"]);
    return stdout.split("\n").map((line) => line.split(" ")[0] ?? "");
  }

  it("plugs workloads in with the interface's addresses, route and claim", async () => {
    expect(await netns("attach", one, namespace)).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await netns("attach", two, other)).toMatchObject({ exitCode: 0 });
    const inside = ["netns", "exec", namespace];
    const link = await execa("ip", [...inside, "ip", "-o", "addr", "show", "dev", "eth0"]);
    const addresses = [...link.stdout.matchAll(/inet (\S+)/g)].map(([, address]) => address);
    expect(addresses).toEqual(["10.9.1.4/24", "10.9.1.20/32", "10.9.1.21/32"]);
    const mac = await execa("ip", [...inside, "cat", "/sys/class/net/eth0/address"]);
    expect(mac.stdout).toBe("02:00:00:00:00:01");
    const routes = await execa("ip", [...inside, "ip", "route", "show", "default"]);
    expect(routes.stdout).toContain("default via 10.9.1.1 dev eth0");
    const claims = await sandbox.vsctl("--bare", "--columns=external_ids", "list", "Interface");
    expect(claims).toContain(`iface-id=${one}`);
    const ping = ["ping", "-n", "-c", "1", "-W", "2", "10.9.1.5"];
    expect((await execa("ip", [...inside, ...ping])).stdout).toContain("1 received");
  });

  it("refuses to plug an interface in twice", async () => {
    const before = await ports();
    const again = await netns("attach", one, other);
    expect(again).toMatchObject({ exitCode: 1 });
    expect(again.stderr).toContain("plugged in already");
    expect(await ports()).toEqual(before);
  });

  it("takes everything away again, a namespace only when it made it", async () => {
    expect(await netns("detach", one)).toMatchObject({ exitCode: 0 });
    expect(await namespaces()).not.toContain(namespace);
    expect(await ports()).toHaveLength(1);
    await execa("ip", ["netns", "add", namespace]);
    await netns("attach", one, namespace);
    await netns("detach", one);
    expect(await namespaces()).toContain(namespace);
    await execa("ip", ["netns", "del", namespace]);
  });

  it("makes nothing for an interface it may not read, and repeats why", async () => {
    const before = await ports();
    const failed = await netns("attach", strayEni, namespace);
    expect(failed).toMatchObject({ exitCode: 1 });
    expect(failed.stderr).toContain("there is no such thing");
    expect(failed.stderr).not.toContain(TOKEN);
    expect(await ports()).toEqual(before);
    expect(await namespaces()).not.toContain(namespace);
  });

  it("undoes everything when the switch does not take the port", async () => {
    const before = await ports();
    await sandbox.killVswitchd();
    const stuck = await netns("attach", one, namespace);
    await sandbox.startAgain();
    expect(stuck.exitCode).not.toBe(0);
    expect(await ports()).toEqual(before);
    expect(await namespaces()).not.toContain(namespace);
    const links = await execa("ip", ["-o", "link"]);
    expect(links.stdout).not.toContain(`pv${one.slice(-13)}`);
  });

  it.each([
    { args: ["attach", "eni-1", "x"], says: "no network interface id" },
    { args: ["attach", eniId(), "a/b"], says: "no name for a namespace" },
    { args: ["detach", eniId()], says: "not plugged in" },
    { args: ["plug"], says: "usage" },
  ])("explains what is wrong with $args", async ({ args, says }) => {
    const result = await netns(...args);
    expect(result.exitCode).not.toBe(0);
    expect(result.stderr).toContain(says);
  });
});
