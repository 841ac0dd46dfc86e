import { expect, it } from "vitest";
import { Belief } from "../../../src/backends/ovs/belief.js";
import { encodeCookie } from "../../../src/openflow/cookie.js";
import { parseFlows } from "../../../src/openflow/text.js";

const MARK = 7;
const OWN = `0x${encodeCookie({ mark: MARK, layout: 1, category: "vpc", object: 1 }).toString(16)}`;
const TEXT = [
  "OFPST_FLOW reply (OF1.4) (xid=0x2):",
  ` cookie=${OWN}, table=0, priority=100,ip,nw_dst=10.0.0.1 actions=drop`,
  ` cookie=${OWN}, table=1, priority=5 actions=output:1`,
  " cookie=0x0, table=2, priority=9,arp actions=NORMAL",
].join("\n");

function learned(): Belief {
  const belief = new Belief(MARK);
  belief.learn("br", TEXT);
  return belief;
}

it("keeps what it believes when a reading says just that", () => {
  const belief = learned();
  const flows = belief.of("br");
  belief.learn("br", TEXT);
  expect(belief.of("br")).toBe(flows);
  expect([...(flows?.all() ?? [])]).toEqual(parseFlows(TEXT));
});

it("takes nothing for known that was changed since", () => {
  const belief = learned();
  const [first] = parseFlows(TEXT);
  if (first === undefined) throw new Error("no flow");
  belief.of("br")?.follow({ missing: [], changed: [], unexpected: [first], foreign: [] });
  belief.learn("br", TEXT);
  expect([...(belief.of("br")?.all() ?? [])]).toEqual(parseFlows(TEXT));
  expect(belief.surprises).toHaveLength(1);
});

it("reads a bridge anew that it was made to forget", () => {
  const belief = learned();
  belief.forget("br");
  belief.learn("br", TEXT);
  expect([...(belief.of("br")?.all() ?? [])]).toEqual(parseFlows(TEXT));
});

it.each([
  ["an altered action", TEXT.replace("output:1", "output:2")],
  [
    "a flow that is gone",
    TEXT.split("\n")
      .slice(0, 3)
      .join("\n")
      .replace(/.*actions=drop\n/, ""),
  ],
  ["a changed cookie", TEXT.replace(`${OWN}, table=1`, "0x0, table=1")],
])("is surprised by %s", (_what, text) => {
  const belief = learned();
  belief.learn("br", text);
  expect(belief.surprises).toHaveLength(1);
  expect([...(belief.of("br")?.all() ?? [])]).toEqual(parseFlows(text));
});

it("believes nothing of a text that cannot be read", () => {
  const belief = learned();
  expect(() => belief.learn("br", `${TEXT}\n priority=x actions=drop`)).toThrow(SyntaxError);
});
