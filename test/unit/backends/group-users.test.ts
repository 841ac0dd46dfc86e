import { expect, it } from "vitest";
import { GroupUsers } from "../../../src/backends/ovs/group-users.js";
import type { VpcIntent } from "../../../src/domain/intent.js";
import { scopeOf, slice, vpcId, vpcIntent } from "../../support/intents.js";

function naming(n: number, ...others: number[]): VpcIntent {
  const peerGroups = others.map((other) => ({
    ...{ group: other, peering: other === n ? 0 : 100 + other, vpcId: vpcId(other) },
    ...{ members: [], limited: false },
  }));
  return { ...vpcIntent(n), peerGroups };
}

it("adds the VPCs with rules that name groups of those in doubt, as the last plans told", () => {
  const users = new GroupUsers();
  users.learn(slice("all", [naming(1, 2, 3), naming(2, 2, 1), naming(3), naming(4, 2)]));
  expect(users.withUsers(scopeOf(2))).toEqual(scopeOf(2, 1, 4));
  expect(users.withUsers(scopeOf(1, 3))).toEqual(scopeOf(1, 2, 3));
  expect(users.withUsers(scopeOf(4))).toEqual(scopeOf(4));
  expect(users.withUsers("all")).toBe("all");
  users.learn(slice(scopeOf(1), [naming(1, 3)]));
  expect(users.withUsers(scopeOf(2))).toEqual(scopeOf(2, 4));
  expect(users.withUsers(scopeOf(3))).toEqual(scopeOf(3, 1));
  users.learn(slice(scopeOf(4), []));
  expect(users.withUsers(scopeOf(2))).toEqual(scopeOf(2));
  users.learn(slice("all", [naming(5, 1)]));
  expect(users.withUsers(scopeOf(1, 3))).toEqual(scopeOf(1, 3, 5));
});
