import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Writes a source file (relative to the repository) as JavaScript into `directory`, for a child
 * process to import; it may import packages but nothing of ours.
 * @returns the path of the module
 */
export function transpileInto(directory: string, source: string): string {
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2023 };
  const typescript = readFileSync(join(root, source), "utf8");
  const path = join(directory, basename(source).replace(/\.ts$/, ".mjs"));
  writeFileSync(path, transpileModule(typescript, { compilerOptions }).outputText);
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  return path;
}
