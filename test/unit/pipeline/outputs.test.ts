import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const GOLDEN = new URL("../../golden/", import.meta.url);

/** A bridge's own port is a device of the host; the others flood, or ask somebody outside. */
const FORBIDDEN = /\b(LOCAL|NORMAL|FLOOD|ALL|CONTROLLER|TABLE)\b/i;

it("never send a packet to the host, to everybody or to a controller", () => {
  const files = readdirSync(GOLDEN).filter((name) => name.endsWith(".flows"));
  const flows = files.flatMap((name) => readFileSync(new URL(name, GOLDEN), "utf8").split("\n"));
  const actions = flows.flatMap((flow) => flow.split("actions=")[1] ?? []);
  // The next table is named in "ct(table=…)" and "resubmit(,…)"; neither is an output.
  const outputs = actions.map((text) => text.replace(/\btable=/g, ""));
  expect(outputs.length).toBeGreaterThan(100);
  expect(outputs.filter((text) => FORBIDDEN.test(text))).toEqual([]);
});
