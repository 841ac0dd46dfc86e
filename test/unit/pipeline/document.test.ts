import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { pipelineDocument } from "../../../src/pipeline/document.js";

const DOCS = new URL("../../../docs/", import.meta.url);
const read = (name: string) => readFile(new URL(name, DOCS), "utf8");

describe("docs/pipeline.md", () => {
  it("is what `npm run build && npm run docs` writes", async () => {
    const prose = await read("pipeline/template.md");
    expect(await read("pipeline.md")).toBe(pipelineDocument(prose));
  });

  it("lists tables, registers, priorities and cookies from the code", async () => {
    const document = await read("pipeline.md");
    expect(document).not.toContain("{{");
    expect(document).toContain("| 99 | [route](#route) |");
    expect(document).toContain("| `reg1` | peering |");
    expect(document).toContain("| `reg2` | routeTable |");
    expect(document).toContain("| `reg9` | dropReason |");
    expect(document).toContain("| 6 | ingressPolicy |");
    expect(document).toContain("- looks into: rules");
    expect(document).toContain("| 63–40 | mark |");
    expect(document).toContain("| 4 | peering |");
    expect(document).toContain("priority=100,ip,reg1=0x65,nw_src=10.10.0.0/16");
  });
});

describe("pipelineDocument", () => {
  it("refuses a text that leaves a table out", async () => {
    const prose = await read("pipeline/template.md");
    const without = prose.replace("{{contract deliver}}", "");
    expect(() => pipelineDocument(without)).toThrow("table deliver has no section");
  });

  it.each(["{{unknown}}", "{{contract unknown}}", "{{unknown classify}}", "{{toString}}"])(
    "refuses the marker %s",
    async (marker) => {
      const prose = `${await read("pipeline/template.md")}\n${marker}\n`;
      expect(() => pipelineDocument(prose)).toThrow(`unknown marker ${marker}`);
    },
  );
});
