import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { attach, detach, untilBound } from "./demo-network.mjs";
import { run } from "./process.mjs";

/**
 * A network namespace at a port of the switch, in which an iperf3 server waits.
 * @typedef {{ netns: string, address: string }} Host
 */

const uniqueName = (prefix) => `${prefix}${randomBytes(4).toString("hex")}`;

/** @returns {Promise<Host>} one that is plugged in as a network interface of a VPC */
export async function plugIn(stage, eni) {
  return serve(stage.undo, await plugInWithoutServer(stage, eni));
}

/** The same with nothing that listens in it. */
export async function plugInWithoutServer({ call, env, undo }, eni) {
  const netns = uniqueName("pbg-");
  await attach(eni.id, netns, env);
  undo.add(() => detach(eni.id, env));
  await untilBound(call, eni.id);
  return { netns, address: eni.privateIp };
}

/** @returns {Promise<Host & { ofport: number }>} one at a bridge that the daemon does not know */
export async function plugInBeside({ vsctl, undo, datapath }, bridge, address) {
  const netns = uniqueName("pbg-");
  const port = uniqueName("pbg");
  const ip = (...args) => run("ip", args);
  undo.add(() => ip("netns", "del", netns));
  await ip("netns", "add", netns);
  undo.add(() => ip("link", "del", port));
  await ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", netns);
  await ip("link", "set", port, "up");
  // As ovs/netns.sh does, so that all packets that are compared are made alike.
  if (datapath === "netdev") {
    await run("ethtool", ["-K", port, "tx", "off"]);
    await ip("netns", "exec", netns, "ethtool", "-K", "eth0", "tx", "off");
  }
  for (const device of ["lo", "eth0"]) await ip("-n", netns, "link", "set", device, "up");
  await ip("-n", netns, "addr", "add", `${address}/24`, "dev", "eth0");
  await vsctl("add-port", bridge, port);
  const ofport = Number(await vsctl("get", "Interface", port, "ofport"));
  return { ...(await serve(undo, { netns, address })), ofport };
}

/** Starts an iperf3 server in a namespace. @returns the same host */
export async function serve(undo, host) {
  const server = ["setpriv", "--pdeathsig", "TERM", "iperf3", "-s", "--forceflush"];
  const child = spawn("ip", ["netns", "exec", host.netns, ...server], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = once(child, "exit");
  undo.add(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  await new Promise((listening, fail) => {
    child.stdout.on("data", (text) => String(text).includes("listening") && listening());
    ended.then(() => fail(new Error("iperf3 -s ended")), fail);
  });
  return host;
}
