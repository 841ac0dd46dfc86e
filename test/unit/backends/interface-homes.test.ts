import { expect, it } from "vitest";
import { InterfaceHomes } from "../../../src/backends/ovs/interface-homes.js";
import { eniId, scopeOf, slice, vpcId, vpcIntent } from "../../support/intents.js";

it("knows interfaces by id and by number, as far as the last plans told", () => {
  const homes = new InterfaceHomes();
  homes.learn(slice("all", [vpcIntent(1, 2), vpcIntent(2, 1)]));
  const first = { id: eniId(1, 0), number: 10, vpcId: vpcId(1) };
  expect(homes.of(first.id)).toBe(first.vpcId);
  expect(homes.withId(first.id)).toEqual(first);
  expect(homes.withNumber(10)).toEqual(first);
  homes.learn(slice(scopeOf(1), [vpcIntent(1, 1)]));
  expect(homes.withNumber(10)).toEqual(first);
  expect(homes.withNumber(11)).toBeUndefined();
  expect(homes.of(eniId(1, 1))).toBeUndefined();
  expect(homes.withNumber(20)?.id).toBe(eniId(2, 0));
  homes.learn(slice(scopeOf(2), []));
  expect(homes.withNumber(20)).toBeUndefined();
  homes.learn(slice("all", []));
  expect(homes.withId(first.id)).toBeUndefined();
});
