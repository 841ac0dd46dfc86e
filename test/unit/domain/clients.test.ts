import { describe, expect, test } from "vitest";
import { clientGroup, isProxy, parseProxy } from "../../../src/domain/clients.js";

describe("whom an address stands for", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["192.0.2.1", "::ffff:192.0.2.1", true],
    ["192.0.2.1", "::FFFF:c000:201", true],
    ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true],
    ["2001:db8:0:1::1", "2001:db8:0:2::1", false],
    ["::1", "127.0.0.1", false],
    ["::192.0.2.1", "192.0.2.1", false],
    ["192.0.2.1", "192.0.2.1:4711", true],
    ["192.0.2.1:4711", "192.0.2.1:4712", true],
    ["192.0.2.1:4711", "192.0.2.2:4711", false],
    ["192.0.2.1", '"192.0.2.1:4711"', true],
    ["192.0.2.1", "[::ffff:192.0.2.1]:4711", true],
    ["2001:db8::1", "[2001:db8::1]", true],
    ["2001:db8::1", "[2001:db8::1]:4711", true],
    ["2001:db8::1", '"[2001:db8::2]:4711"', true],
    ["2001:db8::1", '"[2001:db9::1]:4711"', false],
    ["fe80::1%eth0", "fe80::2%eth1", true],
    ["fe80::1%eth0", "2001:db8::1", false],
    ["unknown", "_hidden", true],
    ["unknown", "192.0.2.1:x", true],
    ["unknown", "192.0.2.1", false],
    ["unknown", "", true],
  ])("%j and %j are one client: %j", (a, b, same) => {
    expect(clientGroup(a) === clientGroup(b)).toBe(same);
  });
});

describe("proxies", () => {
  const isIn = (proxy: string, address: string) => {
    const block = parseProxy(proxy);
    return block === undefined ? undefined : isProxy([block], address);
  };

  test.each([
    ["10.0.0.1", "10.0.0.1", true],
    ["10.0.0.1", "10.0.0.2", false],
    ["10.0.0.0/8", "::ffff:10.9.9.9", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["::ffff:10.0.0.1", "10.0.0.1", true],
    ["::ffff:10.0.0.0/104", "10.9.9.9", true],
    ["2001:DB8::/32", "2001:db8:1::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["2001:db8::/32", "10.0.0.1", false],
    ["10.0.0.0/8", "unknown", false],
    ["10.0.0.0/8", "10.0.0.1:4711", true],
    ["10.0.0.0/8", "11.0.0.1:4711", false],
    ["2001:db8::/32", '"[2001:db8::1]:4711"', true],
    ["10.0.0.0/8", "", false],
  ])("%j: %j is one: %j", (proxy, address, expected) => {
    expect(isIn(proxy, address)).toBe(expected);
  });

  test.each([
    "",
    "proxy.example",
    "10.0.0.1/8",
    "10.0.0.0/33",
    "0.0.0.0/0",
    "::/0",
    "::ffff:0:0/96",
    "fe80::1%eth0",
    "10.0.0.1:8080",
    "2001:db8::1/32",
  ])("%j is refused", (text) => {
    expect(parseProxy(text)).toBeUndefined();
  });

  test("without any nobody is one", () => {
    expect(isProxy([], "127.0.0.1")).toBe(false);
  });
});
