import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  firstFreeAddress,
  gatewayOf,
  isAssignable,
  subnetBlock,
  vpcBlock,
} from "../../../src/domain/address-plan.js";
import {
  addressAt,
  addressCount,
  cidr,
  containsIp,
  formatIp,
  hostBlock,
} from "../../../src/domain/cidr.js";
import { DomainError } from "../../../src/domain/errors.js";

function problemOf(work: () => unknown): { code: string; detail: string; pointer?: string } {
  try {
    work();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const { code, message, pointer } = error;
    return { code, detail: message, ...(pointer !== undefined && { pointer }) };
  }
  throw new Error("no error was thrown");
}

describe("VPC blocks", () => {
  it.each(["10.0.0.0/16", "192.168.1.0/28", "172.16.0.0/20", "100.64.0.0/16"])(
    "takes %s",
    (text) => {
      expect(vpcBlock(text)).toEqual(cidr(text));
    },
  );

  it.each([
    ["10.0.0.1/16", "10.0.0.0/16"],
    ["10.0.0.0/8", "/16 to /28"],
    ["10.0.0.0/29", "/16 to /28"],
    ["127.0.0.0/16", "loopback"],
    ["169.254.0.0/16", "link-local"],
    ["169.254.16.0/20", "link-local"],
    ["224.1.0.0/16", "multicast"],
    ["0.0.0.0/16", "this network"],
    ["255.255.0.0/16", "reserved"],
  ])("refuses %s, saying %s", (text, said) => {
    const problem = problemOf(() => vpcBlock(text));
    expect(problem).toMatchObject({ code: "InvalidVpcRange", pointer: "/cidrBlock" });
    expect(problem.detail).toContain(said);
  });

  it.each(["banana", "fd00::/64", "10.0.0.0"])("does not take %s for a block", (text) => {
    expect(problemOf(() => vpcBlock(text)).code).toBe("ValidationError");
  });
});

describe("subnets", () => {
  const blocks = [cidr("10.0.0.0/16"), cidr("10.9.0.0/24")];

  it("lie inside a block of the VPC", () => {
    expect(subnetBlock("10.0.255.0/24", blocks)).toEqual(cidr("10.0.255.0/24"));
    expect(subnetBlock("10.9.0.0/24", blocks)).toEqual(cidr("10.9.0.0/24"));
    expect(problemOf(() => subnetBlock("10.1.0.0/24", blocks)).code).toBe("InvalidSubnet.Range");
    expect(problemOf(() => subnetBlock("10.9.0.0/23", blocks)).code).toBe("InvalidSubnet.Range");
  });

  it("reserve the first four addresses and the last", () => {
    const subnet = cidr("10.0.0.0/28");
    const assignable = Array.from({ length: 16 }, (_, i) => addressAt(subnet, BigInt(i)))
      .filter((ip) => isAssignable(subnet, ip))
      .map(formatIp);
    expect(assignable).toEqual(Array.from({ length: 11 }, (_, i) => `10.0.0.${i + 4}`));
    expect(formatIp(gatewayOf(subnet))).toBe("10.0.0.1");
    expect(isAssignable(subnet, addressAt(cidr("10.0.1.0/28"), 5n))).toBe(false);
  });

  it("hand out every assignable address once, lowest first, and then none", () => {
    const subnet = cidr("10.0.0.0/27");
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 4, max: 30 })), (taken) => {
        const addresses = taken.map((offset) => addressAt(subnet, BigInt(offset)));
        const used = addresses.map(hostBlock);
        const handedOut: bigint[] = [];
        for (;;) {
          const free = firstFreeAddress(subnet, used);
          if (free === undefined) break;
          expect(isAssignable(subnet, free)).toBe(true);
          expect(used.some((block) => containsIp(block, free))).toBe(false);
          used.push(hostBlock(free));
          handedOut.push(free.value);
        }
        expect(handedOut).toEqual([...handedOut].sort((a, b) => Number(a - b)));
        expect(used).toHaveLength(Number(addressCount(subnet)) - 5);
      }),
    );
  });

  it("hand out no address of a block that is taken as a whole", () => {
    const subnet = cidr("10.0.0.0/24");
    const taken = ["10.0.0.8/29", "10.0.0.4/31", "10.0.0.9/32", "10.0.0.6/31", "10.0.0.0/30"];
    const free = firstFreeAddress(subnet, taken.map(cidr));
    expect(free && formatIp(free)).toBe("10.0.0.16");
    expect(firstFreeAddress(subnet, [cidr("10.0.0.0/25"), cidr("10.0.0.128/25")])).toBeUndefined();
  });
});
