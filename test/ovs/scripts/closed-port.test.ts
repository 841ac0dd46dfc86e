import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chosenDatapath, TRAITS } from "../../support/datapath.js";
import { patient } from "../../support/patience.js";
import { type NetworkInterface, type VpcOf, waitFor } from "../../support/rest.js";
import { uniqueName } from "../../support/sandbox.js";
import { startWorld, untilAvailable, type World } from "../e2e/world.js";
import { FRAMES_TO_HOST, type HostScene, hostAddresses } from "../hostile/frames-host.js";
import { macOfDevice, received, receivedAndKept, throwFrames } from "../hostile/frames-link.js";
import { Watch } from "../hostile/frames-watch.js";

const script = (name: string) => fileURLToPath(new URL(`../../../ovs/${name}`, import.meta.url));
const LIMIT_MS = 10_000;
const BLOCK = "10.9.0.0/16";
const { handsFramesToHost } = TRAITS[chosenDatapath()];
/** What the check says where the filter is missing. */
const NO_FILTER = handsFramesToHost ? "every frame" : "should the switch let go";

let world: World;
let vpc: VpcOf & { readonly bridge: string; readonly subnetId: string };
let enis: NetworkInterface[];

beforeAll(async () => {
  world = await startWorld();
  const tenant = await world.operator.createTenant("closed");
  const { id: vpcId, bridge } = await tenant.vpc(BLOCK);
  await tenant.letEverythingIn(vpcId);
  const { id: subnetId } = await tenant.subnet(vpcId, "10.9.1.0/24");
  vpc = { tenant, vpcId, bridge, subnetId };
  const make = () => tenant.networkInterface(subnetId);
  enis = [await make(), await make(), await make()];
  await untilAvailable(vpc);
});

afterAll(() => world?.dispose());

function eni(index: number): NetworkInterface {
  const found = enis[index];
  if (found === undefined) throw new Error(`there is no interface ${index}`);
  return found;
}

const portOf = ({ id }: NetworkInterface) => `pv${id.slice(-13)}`;

/** Runs one of our scripts as an operator would. */
function run(name: string, args: readonly string[], path = "") {
  const { url } = world.daemon;
  const settings = { PATCHBAY_URL: url, PATCHBAY_TOKEN: vpc.tenant.token };
  const PATH = `${path}${process.env["PATH"]}:/usr/sbin:/sbin`;
  const env = { ...world.sandbox.env, ...settings, PATH };
  return execa(script(name), args, { env, reject: false, timeout: patient(30_000) });
}

const shown = ({ id }: NetworkInterface) =>
  vpc.tenant.get<
    NetworkInterface & { readonly warnings: ReadonlyArray<{ code: string; message: string }> }
  >(`/network-interfaces/${id}`);

const ip = (...args: string[]) => execa("ip", args).then(({ stdout }) => stdout);

async function sceneOf(port: string, { macAddress, privateIp, gateway }: NetworkInterface) {
  const hostMac = await macOfDevice(port);
  return { mac: macAddress, ip: privateIp, gateway, hostMac, ...hostAddresses() };
}

function allFrames(scene: HostScene): Buffer[] {
  return Object.values(FRAMES_TO_HOST).flatMap((frames) => frames(scene, "host"));
}

/**
 * Throws frames from inside, and waits until the host has dropped them behind the switch, which the
 * kernel datapath leaves nothing to drop.
 * @param kept frames that came in before the port was closed
 */
async function throwAll(
  netns: string,
  port: string,
  frames: readonly Buffer[],
  kept = 0,
): Promise<void> {
  const before = await received(port);
  const thrown = await throwFrames(netns, "eth0", frames);
  const areJudged = handsFramesToHost
    ? async () => (await receivedAndKept(port)) === kept
    : async () => (await received(port)) >= before + thrown;
  await waitFor(areJudged, LIMIT_MS, "the frames to be judged");
}

describe("a workload plugged in by ovs/netns.sh", () => {
  const namespace = uniqueName("pbt");
  const other = uniqueName("pbt");
  let wire: Watch;
  let stack: Watch;
  let services: Watch;
  let port: string;
  let scene: HostScene;

  beforeAll(async () => {
    await ip("netns", "add", namespace);
    // From before there is a link: what the host says when it comes up is heard too.
    wire = await Watch.start(namespace, "wire");
    expect(await run("netns.sh", ["attach", eni(0).id, namespace])).toMatchObject({ exitCode: 0 });
    expect(await run("netns.sh", ["attach", eni(1).id, other])).toMatchObject({ exitCode: 0 });
    port = portOf(eni(0));
    stack = await Watch.start(null, "stack", [port]);
    services = await Watch.start(null, "services", [port]);
    scene = await sceneOf(port, eni(0));
    await Promise.all([eni(0), eni(1)].map(({ id }) => vpc.tenant.untilBound(id)));
  });

  afterAll(async () => {
    for (const watch of [wire, stack, services]) await watch?.stop();
    for (const plugged of [eni(0), eni(1)]) await run("netns.sh", ["detach", plugged.id]);
    await execa("ip", ["netns", "del", namespace], { reject: false });
  });

  it("reaches the switch and is found closed", async () => {
    const ping = ["netns", "exec", namespace, "ping", "-n", "-c", "1", "-W", "2", eni(1).privateIp];
    expect(await ip(...ping)).toContain("1 received");
    expect(await run("check-port.sh", [eni(0).id])).toMatchObject({ exitCode: 0 });
    expect((await shown(eni(0))).warnings).toEqual([]);
  });

  it.each(Object.entries(FRAMES_TO_HOST))("has its %s end at the link", async (_, frames) => {
    await throwAll(namespace, port, frames(scene, "host"));
    expect(stack.seen).toEqual([]);
    expect(services.seen).toEqual([]);
  });

  it("hears nothing from the host, which has learned nothing from it", async () => {
    const hostMac = scene.hostMac.replaceAll(":", "");
    const fromHost = wire.seen.filter(({ frame }) => frame.toString("hex", 6, 12) === hostMac);
    expect(fromHost).toEqual([]);
    expect(wire.seen.length).toBeGreaterThan(0);
    expect(await ip("neigh", "show", "dev", port)).toBe("");
    expect(await ip("-6", "route", "show", "dev", port)).toBe("");
  });

  it("stays closed while the switch is away, and when it is back", async () => {
    await world.sandbox.killVswitchd();
    await throwAll(namespace, port, allFrames(scene));
    await world.sandbox.startAgain();
    await throwAll(namespace, port, allFrames(scene));
    expect(stack.seen).toEqual([]);
    expect(await run("check-port.sh", [port])).toMatchObject({ exitCode: 0 });
  });

  it("leaves nothing of the link when it is unplugged", async () => {
    expect(await run("netns.sh", ["detach", eni(0).id])).toMatchObject({ exitCode: 0 });
    expect(await ip("-o", "link")).not.toMatch(new RegExp(`p[vw]${port.slice(2)}`));
    expect(await ip("-n", namespace, "-o", "link")).not.toContain("eth0");
  });
});

describe("ovs/netns.sh", () => {
  it.each([
    { fails: "qdisc", says: "takes no qdisc clsact" },
    { fails: "filter", says: "takes no filter" },
  ])("plugs nothing in when tc has no $fails to close the link with", async ({ fails, says }) => {
    const folder = await mkdtemp(join(tmpdir(), "pbtc-"));
    const tc = `#!/bin/sh\n[ "$1" != ${fails} ] || exit 2\nexec /usr/sbin/tc "$@"\n`;
    await writeFile(join(folder, "tc"), tc, { mode: 0o755 });
    const namespace = uniqueName("pbt");
    const failed = await run("netns.sh", ["attach", eni(2).id, namespace], `${folder}:`);
    await rm(folder, { recursive: true });
    expect(failed).toMatchObject({ exitCode: 1 });
    expect(failed.stderr).toContain(says);
    expect(await ip("netns", "list")).not.toContain(namespace);
    expect(await ip("-o", "link")).not.toContain(portOf(eni(2)).slice(2));
    expect(await world.sandbox.vsctl("list-ports", vpc.bridge)).not.toContain(portOf(eni(2)));
  });
});

describe("a device plugged in by other means", () => {
  const namespace = uniqueName("pbt");
  const device = uniqueName("pbv");
  const macvlan = uniqueName("pbm");
  let stack: Watch;
  let scene: HostScene;

  const check = () => run("check-port.sh", [eni(2).id]);

  beforeAll(async () => {
    await ip("netns", "add", namespace);
    await ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    await ip("link", "set", device, "up");
    await ip("-n", namespace, "link", "set", "eth0", "address", eni(2).macAddress, "up");
    await plug();
    scene = await sceneOf(device, eni(2));
    stack = await Watch.start(null, "stack", [device]);
  });

  /** Always on the userspace datapath; on the kernel's when the device is no port. */
  async function reachesHost(): Promise<void> {
    if (handsFramesToHost) {
      await throwFrames(namespace, "eth0", allFrames(scene));
    } else {
      await throwAll(namespace, device, allFrames(scene));
      expect(stack.seen, "while it is a port").toEqual([]);
      await world.sandbox.vsctl("del-port", device);
      await throwFrames(namespace, "eth0", allFrames(scene));
    }
    await waitFor(() => stack.seen.length > 0, LIMIT_MS, "frames that the host takes");
    if (!handsFramesToHost) await plug();
  }

  async function plug(): Promise<void> {
    const claim = ["--", "set", "Interface", device, `external_ids:iface-id=${eni(2).id}`];
    await world.sandbox.vsctl("add-port", vpc.bridge, device, ...claim);
  }

  afterAll(async () => {
    await stack?.stop();
    await world.sandbox.vsctl("--if-exists", "del-port", device);
    await execa("ip", ["link", "del", device], { reject: false });
    await execa("ip", ["netns", "del", namespace], { reject: false });
  });

  it("is open to the host: it is found by the check, and shown on the interface", async () => {
    await reachesHost();
    const found = await check();
    expect(found).toMatchObject({ exitCode: 1 });
    for (const what of ["carries fe80:", "IPv6 is on", "ARP is on", "rp_filter", NO_FILTER]) {
      expect(found.stdout).toContain(what);
    }
    expect(found.stdout).toContain(`to do: ovs/close-port.sh ${device}`);
    const warnings = await waitFor(
      async () => (await shown(eni(2))).warnings.length > 0 && (await shown(eni(2))).warnings,
      LIMIT_MS,
      "the warning",
    );
    expect(warnings).toEqual([
      {
        code: "hostReachable",
        message: expect.stringMatching(`${device}.* carries fe80:.*close-port`),
      },
    ]);
  });

  it("is closed by ovs/close-port.sh, as often as that is run", async () => {
    expect(await run("close-port.sh", [device])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await run("close-port.sh", [device])).toMatchObject({ exitCode: 0, stderr: "" });
    const kept = await receivedAndKept(device);
    stack.take();
    await throwAll(namespace, device, allFrames(scene), kept);
    expect(stack.take()).toEqual([]);
    expect(await check()).toMatchObject({ exitCode: 0 });
    await waitFor(async () => (await shown(eni(2))).warnings.length === 0, LIMIT_MS, "no warning");
  });

  it.each([
    ["an address", ["addr", "add", "198.51.100.9/32", "dev", device], "carries 198.51.100.9/32"],
    [
      "a device on top",
      ["link", "add", "link", device, "name", macvlan, "type", "macvlan"],
      macvlan,
    ],
  ])("is found open again when it gets %s", async (_, change, says) => {
    if (says === macvlan && !TRAITS[chosenDatapath()].handsFramesToHost) {
      await expect(ip(...change), "who takes a device's frames takes them alone").rejects.toThrow(
        "busy",
      );
      return;
    }
    await ip(...change);
    const found = await check();
    await execa("ip", ["addr", "flush", "dev", device]);
    await execa("ip", ["link", "del", macvlan], { reject: false });
    expect(found).toMatchObject({ exitCode: 1 });
    expect(found.stdout).toContain(says);
    expect(await check()).toMatchObject({ exitCode: 0 });
  });

  it("is found open when another filter comes first", async () => {
    await execa("tc", ["filter", "del", "dev", device, "ingress", "pref", "1"]);
    expect((await check()).stdout).toMatch(new RegExp(`OPEN .*${NO_FILTER}`));
  });

  it("is not closed with an address of the host on it, which may be another device", async () => {
    await ip("addr", "add", "198.51.100.9/32", "dev", device);
    const refused = await run("close-port.sh", [device]);
    await ip("addr", "flush", "dev", device);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.stderr).toContain("ip addr flush");
  });

  it.each([
    [["nosuch0"], 2, "has no port"],
    [[], 2, "usage"],
  ])("is not known to the check by %s", async (args, exitCode, says) => {
    const found = await run("check-port.sh", args);
    expect(found).toMatchObject({ exitCode });
    expect(found.stderr).toContain(says);
  });
});

/** On the kernel datapath a device that the switch has let go of is the worst of it. */
describe("a device closed for the kernel datapath", () => {
  const namespace = uniqueName("pbt");
  const device = uniqueName("pbv");
  let services: Watch;
  let wire: Watch;
  let scene: HostScene;

  beforeAll(async () => {
    await ip("netns", "add", namespace);
    await ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    await ip("-n", namespace, "link", "set", "eth0", "up");
    scene = await sceneOf(device, eni(2));
    services = await Watch.start(null, "services", [device]);
    wire = await Watch.start(namespace, "wire", ["eth0"]);
  });

  afterAll(async () => {
    for (const watch of [wire, services]) await watch?.stop();
    await execa("ip", ["link", "del", device], { reject: false });
    await execa("ip", ["netns", "del", namespace], { reject: false });
  });

  it("hands programs nothing, and answers nothing, even when it is no port", async () => {
    expect(await run("close-port.sh", [device, "system"])).toMatchObject({ exitCode: 0 });
    await ip("link", "set", device, "up");
    const frames = allFrames(scene);
    await throwFrames(namespace, "eth0", frames);
    expect(await received(device)).toBeGreaterThanOrEqual(frames.length);
    expect(services.seen).toEqual([]);
    expect(wire.seen).toEqual([]);
  });

  it("would hand them over, and answer, were it not closed", async () => {
    await execa("tc", ["qdisc", "del", "dev", device, "clsact"]);
    await ip("link", "set", device, "arp", "on");
    await ip("addr", "add", "198.51.100.9/32", "dev", device);
    scene = await sceneOf(device, eni(2));
    await throwFrames(namespace, "eth0", allFrames(scene));
    const heard = () => services.seen.length > 0 && wire.seen.length > 0;
    expect(await waitFor(heard, LIMIT_MS, "datagrams and answers")).toBe(true);
  });
});
