import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Flow } from "../../../src/openflow/flow.js";
import { formatFlow } from "../../../src/openflow/text.js";
import { bridgesOf, TOPOLOGIES, type Topology } from "./topologies.js";

const FOLDER = new URL("../../golden/", import.meta.url);
const UPDATE = "UPDATE_GOLDEN" in process.env;

function rendered(topology: Topology): string {
  return [...bridgesOf(topology)]
    .map(([bridge, flows]) =>
      [`# ${bridge}`, ...inSwitchOrder(flows).map(formatFlow), ""].join("\n"),
    )
    .join("\n");
}

/** As the switch dumps them: by table, the highest priority first. */
function inSwitchOrder(flows: readonly Flow[]): Flow[] {
  return flows.toSorted((a, b) => a.table - b.table || b.priority - a.priority);
}

/** Run with UPDATE_GOLDEN=1 to accept changed flows; review them in the diff. */
describe("golden flows", () => {
  it.each(Object.entries(TOPOLOGIES))("of %s are as recorded", async (name, topology) => {
    const file = fileURLToPath(new URL(`${name}.flows`, FOLDER));
    if (UPDATE) {
      await mkdir(FOLDER, { recursive: true });
      await writeFile(file, rendered(topology));
    }
    expect(rendered(topology)).toBe(await readFile(file, "utf8"));
  });
});
