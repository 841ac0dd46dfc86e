import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { confirmDatapath } from "../../../src/backends/ovs/datapath.js";
import { dropsFragments } from "../../../src/backends/ovs/fragments.js";
import { Unixctl } from "../../../src/backends/ovs/unixctl.js";
import { type RpcServer, reply, rpcServer } from "./rpc-server.js";

const PID = 4711;

let server: RpcServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

it("waits for two rounds, the second asked for once the first has ended", async () => {
  const held: (() => void)[] = [];
  const unixctl = await serve((request, socket) => {
    if (request.method === "revalidator/wait") held.push(() => reply(socket, request, ""));
    else reply(socket, request, "OK");
    // A poke starts the round that a wait is for.
    if (request.method === "fdb/add") for (const end of held.splice(0)) end();
  });
  await confirmDatapath(unixctl, "pbx");
  const methods = server?.requests.map(({ method }) => method) ?? [];
  expect(methods.filter((method) => method === "revalidator/wait")).toHaveLength(2);
  const macs = pokes("fdb/add").map(({ params }) => params[3]);
  expect(new Set(macs).size, "only a change starts a round").toBe(macs.length);
  expect(pokes("fdb/del").map(({ params }) => params[2])).toEqual(macs);
  unixctl.close();
});

it("waits for two rounds that nobody starts where the switch refuses to be woken", async () => {
  const unixctl = await serve((request, socket) => {
    if (request.method === "fdb/add") reply(socket, request, null, "no such bridge");
    else reply(socket, request, "");
  });
  await confirmDatapath(unixctl, "pbx");
  const waits = server?.requests.filter(({ method }) => method === "revalidator/wait");
  expect(waits).toHaveLength(2);
  expect(pokes("fdb/del")).toEqual([]);
  unixctl.close();
});

it("throws cached flows away where several datapaths cannot be waited for", async () => {
  const unixctl = await serve((request, socket) => {
    const refused = request.method === "revalidator/wait";
    // The words of ofproto-dpif-upcall.c.
    if (refused) reply(socket, request, null, "can't wait on multiple udpifs.\n");
    else reply(socket, request, "");
  });
  await confirmDatapath(unixctl, "pbx");
  const purges = server?.requests.filter(({ method }) => method === "revalidator/purge");
  expect(purges).toHaveLength(2);
  unixctl.close();
});

it("fails when the switch ends meanwhile", async () => {
  const unixctl = await serve((request, socket) => {
    if (request.method === "revalidator/wait") socket.destroy();
    else reply(socket, request, "");
  });
  await expect(confirmDatapath(unixctl, "pbx")).rejects.toThrow(/closed/);
  unixctl.close();
});

it("drops fragments on userspace datapaths that leak them, or may", () => {
  const versions = ["2.17.9", "3.1.0", "3.5.1", undefined, "3.6.0", "3.10.0", "4.0.0"];
  expect(versions.map((version) => dropsFragments("netdev", version))).toEqual([
    ...[true, true, true, true],
    ...[false, false, false],
  ]);
  expect(versions.some((version) => dropsFragments("system", version))).toBe(false);
});

async function serve(answer: Parameters<typeof rpcServer>[0]): Promise<Unixctl> {
  server = await rpcServer(
    (request, socket) => {
      if (request.method === "version") reply(socket, request, "ovs-vswitchd (Open vSwitch) 3.1.0");
      else answer(request, socket);
    },
    (dir) => join(dir, `ovs-vswitchd.${PID}.ctl`),
  );
  await writeFile(join(server.dir, "ovs-vswitchd.pid"), `${PID}\n`);
  const unixctl = await Unixctl.open(server.dir, () => undefined);
  expect(unixctl.version).toBe("3.1.0");
  return unixctl;
}

function pokes(command: "fdb/add" | "fdb/del") {
  return server?.requests.filter(({ method }) => method === command) ?? [];
}
