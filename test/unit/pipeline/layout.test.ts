import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { DROP_REASONS } from "../../../src/pipeline/drops.js";
import { isLeftBehind, LAYOUT, tableNumber } from "../../../src/pipeline/layout.js";
import { REGISTERS } from "../../../src/pipeline/registers.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { inLayout } from "./layouts.js";

const FILE = fileURLToPath(new URL(`../../golden/layout-${LAYOUT}.txt`, import.meta.url));

/** What a packet that conntrack holds relies on to be the same when it is handed back. */
function description(): string {
  const tables = Object.values(VPC_TABLES).map(({ number, name }) => `table ${number} ${name}`);
  const registers = Object.entries(REGISTERS).map(([name, { field }]) => `${field} ${name}`);
  const reasons = Object.entries(DROP_REASONS).map(([name, { value }]) => `drop ${value} ${name}`);
  return `${[...tables, ...registers, ...reasons].join("\n")}\n`;
}

describe("the layout", () => {
  it("is as it was recorded: whoever changes it raises LAYOUT, then runs UPDATE_GOLDEN=1", async () => {
    if ("UPDATE_GOLDEN" in process.env) await writeFile(FILE, description(), { flag: "wx" });
    expect(description()).toBe(await readFile(FILE, "utf8"));
  });

  it("shares no table with the six before it, but for the one that packets enter at", () => {
    const places = Array.from({ length: 31 }, (_, index) => index + 1);
    const numbers = Array.from({ length: 7 }, (_, index) =>
      places.map((place) => tableNumber(place, index + 1)),
    ).flat();
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.max(...numbers)).toBeLessThan(254);
    expect([1, 2, 15].map((layout) => tableNumber(0, layout))).toEqual([0, 0, 0]);
    expect(() => tableNumber(32)).toThrow(RangeError);
  });

  it("leaves behind what no packet enters, and nothing else", () => {
    const other = LAYOUT + 1;
    const beyond = tableNumber(4, other);
    expect(isLeftBehind(inLayout(other, beyond))).toBe(true);
    expect(isLeftBehind(inLayout(other, tableNumber(0, other)))).toBe(false);
    expect(isLeftBehind(inLayout(other, tableNumber(4)))).toBe(false);
    expect(isLeftBehind(inLayout(LAYOUT, beyond))).toBe(false);
  });
});
