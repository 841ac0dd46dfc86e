// Writes the generated documents from what `npm run build` made.
import { readFile, writeFile } from "node:fs/promises";
import { pipelineDocument } from "../dist/pipeline/document.js";

const DOCS = new URL("../docs/", import.meta.url);

const prose = await readFile(new URL("pipeline/template.md", DOCS), "utf8");
await write("pipeline.md", pipelineDocument(prose));

const config = await import("../dist/config.js");
await write("configuration.md", config.configurationDocument());

const settings = await import("../dist/backends/ovs/settings/document.js");
await write("switch-settings.md", settings.switchSettingsDocument());

async function write(name, text) {
  await writeFile(new URL(name, DOCS), text);
  process.stdout.write(`docs/${name}\n`);
}
