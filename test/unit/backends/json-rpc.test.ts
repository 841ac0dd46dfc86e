import { afterEach, expect, it } from "vitest";
import { JsonRpc, RpcError } from "../../../src/backends/ovs/json-rpc.js";
import { parseStreamAddress } from "../../../src/backends/ovs/stream-address.js";
import { type RpcServer, reply, rpcServer } from "./rpc-server.js";

const LIMIT_MS = 5000;

let server: RpcServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

it("matches answers to requests, in whatever order they come", async () => {
  const held: (() => void)[] = [];
  server = await rpcServer((request, socket) => {
    held.unshift(() => reply(socket, request, request.params));
    if (held.length === 2) for (const answer of held) answer();
  });
  const rpc = await connect(server);
  const [first, second] = [rpc.request("a", [1], LIMIT_MS), rpc.request("b", [2], LIMIT_MS)];
  expect(await Promise.all([first, second])).toEqual([[1], [2]]);
  rpc.close();
});

it("answers echo, hands on notifications, and turns an error into RpcError", async () => {
  server = await rpcServer((request, socket) => {
    socket.write('{"id":"echo","method":"echo","params":["x"]}');
    socket.write('{"id":null,"method":"update","params":[1]}');
    if (request.method === "fail") reply(socket, request, null, "no such command\n");
  });
  const notified: unknown[] = [];
  const rpc = await JsonRpc.connect({ kind: "unix", path: server.path }, LIMIT_MS, {
    notified: (method, params) => notified.push([method, params]),
  });
  const failed = rpc.request("fail", [], LIMIT_MS);
  await expect(failed).rejects.toThrow(RpcError);
  await expect(failed).rejects.toThrow("fail: no such command");
  expect(notified).toEqual([["update", [1]]]);
  await expect(rpc.request("silence", [], 50)).rejects.toThrow("not answered within 50 ms");
  const echoed = { id: "echo", result: ["x"], error: null };
  expect(server.requests).toContainEqual(echoed);
  rpc.close();
});

it("fails what is waiting, and tells once, when the peer goes away", async () => {
  server = await rpcServer((_, socket) => socket.destroy());
  const lost: string[] = [];
  const rpc = await JsonRpc.connect({ kind: "unix", path: server.path }, LIMIT_MS, {
    lost: ({ message }) => lost.push(message),
  });
  await expect(rpc.request("any", [], LIMIT_MS)).rejects.toThrow("connection was closed");
  await expect(rpc.request("after", [], LIMIT_MS)).rejects.toThrow("connection was closed");
  expect(lost).toHaveLength(1);
});

it("ends the connection when the peer sends something else than JSON", async () => {
  server = await rpcServer((_, socket) => socket.write("{HTTP/1.1}"));
  const rpc = await connect(server);
  await expect(rpc.request("any", [], LIMIT_MS)).rejects.toThrow(/JSON/);
});

it("reaches a socket whose path is longer than the kernel takes", async () => {
  const name = "d".repeat(60);
  const long = (dir: string) => `${dir}/${name}/${name}/sock`;
  server = await rpcServer(
    (request, socket) => reply(socket, request, "here"),
    (dir) => `${dir}/s`,
  );
  const { mkdir, link } = await import("node:fs/promises");
  const path = long(server.dir);
  await mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await link(server.path, path);
  const rpc = await JsonRpc.connect({ kind: "unix", path }, LIMIT_MS);
  expect(await rpc.request("any", [], LIMIT_MS)).toBe("here");
  rpc.close();
});

it("reads Open vSwitch's addresses", () => {
  expect(parseStreamAddress("unix:/run/db.sock")).toEqual({ kind: "unix", path: "/run/db.sock" });
  expect(parseStreamAddress("tcp:127.0.0.1:6640")).toEqual({
    kind: "tcp",
    host: "127.0.0.1",
    port: 6640,
  });
  expect(parseStreamAddress("ssl:[::1]:6640")).toEqual({ kind: "ssl", host: "::1", port: 6640 });
  for (const wrong of ["", "unix:", "/run/db.sock", "tcp:host", "http://host:80"]) {
    expect(() => parseStreamAddress(wrong)).toThrow(/is not an OVSDB address/);
  }
});

function connect({ path }: RpcServer): Promise<JsonRpc> {
  return JsonRpc.connect({ kind: "unix", path }, LIMIT_MS);
}
