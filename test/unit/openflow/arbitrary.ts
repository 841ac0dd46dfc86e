import fc from "fast-check";
import type { Flow, Match } from "../../../src/openflow/flow.js";

type Field = [name: string, value: string | true];

function anyField(): fc.Arbitrary<Field> {
  return fc.oneof(
    fc.constant<Field>(["ip", true]),
    fc.integer({ min: 1, max: 9 }).map((port): Field => ["in_port", String(port)]),
    fc.integer({ min: 1, max: 30 }).map((value): Field => ["reg1", `0x${value.toString(16)}`]),
    fc.constantFrom<Field>(["nw_src", "10.0.0.1"], ["nw_src", "10.0.0.0/255.0.0.255"]),
    fc.constantFrom<Field>(["nw_dst", "10.0.0.1"], ["nw_dst", "10.0.0.0/16"]),
    fc.constant<Field>(["vlan_tci", "0x1000/0x1000"]),
  );
}

function anyMatch(): fc.Arbitrary<Match> {
  return fc
    .uniqueArray(anyField(), { selector: ([name]) => name, maxLength: 6 })
    .map((fields) => Object.fromEntries(fields));
}

/** Flows of a small world, so that identities collide often. */
export function anyFlow(): fc.Arbitrary<Flow> {
  const plain = fc.record(
    {
      table: fc.integer({ min: 0, max: 2 }),
      priority: fc.constantFrom(0, 100, 32768),
      cookie: fc.oneof(
        fc.bigInt({ min: 0n, max: 3n }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      ),
      match: anyMatch(),
      actions: fc.constantFrom("drop", "output:1", "set_field:0x5->reg1,goto_table:3"),
    },
    { noNullPrototype: true },
  );
  const extras = fc.constantFrom(["idle_timeout=60"], ["importance=3", "send_flow_rem"]);
  return fc.oneof(
    plain,
    fc.tuple(plain, extras).map(([flow, more]) => ({ ...flow, extras: more })),
  );
}
