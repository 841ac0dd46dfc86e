import { expect, it } from "vitest";
import { Replica } from "../../../src/backends/ovs/replica.js";
import { installationsOn } from "../../../src/backends/ovs/survey.js";

const ids = (installation: string, role?: string) => [
  "map",
  [
    ["patchbay-installation", installation],
    ...(role === undefined ? [] : [["patchbay-role", role]]),
  ],
];
const NONE: unknown = ["map", []];

function bridge(name: string, external_ids: unknown, port: unknown = NONE) {
  return {
    Bridge: { [name]: { new: { name, ports: ["uuid", `p-${name}`], external_ids } } },
    Port: { [`p-${name}`]: { new: { name, interfaces: ["set", []], external_ids: port } } },
  };
}

function replicaOf(...updates: object[]): Replica {
  const replica = new Replica();
  for (const update of updates) replica.apply(update);
  return replica;
}

it("tells installations apart, each with its mark and its bridges", () => {
  const replica = replicaOf(
    bridge("pb00002av1", ids("one", "vpc")),
    bridge("pb00002ax", ids("one", "exchange")),
    bridge("pb0000ffv2", ids("two", "vpc")),
    bridge("br0", NONE),
  );
  expect(installationsOn(replica)).toEqual([
    { installationId: "one", mark: 42, bridges: ["pb00002av1", "pb00002ax"] },
    { installationId: "two", mark: 255, bridges: ["pb0000ffv2"] },
  ]);
});

it("knows a bridge by its own port when another tool has cleared its external_ids", () => {
  const replica = replicaOf(bridge("pb00002av1", NONE, ids("one", "vpc")));
  expect(installationsOn(replica)).toMatchObject([{ installationId: "one", mark: 42 }]);
});

it("passes over an exchange that is left alone: nobody's packets go there", () => {
  expect(installationsOn(replicaOf(bridge("pb00002ax", ids("one", "exchange"))))).toEqual([]);
});

it("takes a bridge that does not say its role for one that forwards, and guesses no mark", () => {
  const strange = replicaOf(bridge("strange", ids("one")));
  expect(installationsOn(strange)).toEqual([
    { installationId: "one", mark: undefined, bridges: ["strange"] },
  ]);
  const two = replicaOf(bridge("pb00002av1", ids("one")), bridge("pb00002bv1", ids("one")));
  expect(installationsOn(two)).toMatchObject([{ mark: undefined }]);
});
