// Loaded into the built daemon before its own code (node --import): makes it a release of the next
// layout, whose tables have other numbers, whose registers have moved, and whose exchange admits
// packets by flows of another priority.
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

const REGISTERS_MOVED_BY = 4;

const CHANGES = new Map([
  ["layout.js", [["LAYOUT = 4;", "LAYOUT = 5;"]]],
  ["exchange.js", [["PRIORITIES.ordinary.value", "(PRIORITIES.ordinary.value + 1)"]]],
]);

if (isMainThread) register(import.meta.url);

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  const [, file] = /\/dist\/pipeline\/([\w-]+\.js)$/.exec(url) ?? [];
  if (file === undefined) return loaded;
  return { ...loaded, source: changed(file, String(loaded.source)) };
}

function changed(file, source) {
  let text = source.replace(/\b(reg|NXM_NX_REG)(\d+)\b/g, (_, name, number) => {
    return name + (Number(number) + REGISTERS_MOVED_BY);
  });
  for (const [from, to] of CHANGES.get(file) ?? []) {
    if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}
