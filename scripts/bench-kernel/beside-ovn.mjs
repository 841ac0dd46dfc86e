import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run } from "../lib/process.mjs";

const FULL = ["--sizes", "10,100", "--runs", "10"];
const QUICK = ["--sizes", "4", "--runs", "2"];

/** `npm run bench:ovn` on the same datapath, in short. @returns its tables and its figures */
export async function measureBesideOvn({ dir, options, signal, progress }) {
  progress("beside OVN");
  const output = join(dir, "ovn.json");
  const length = options.quick ? QUICK : FULL;
  const rest = ["--skip-mesh", "--seconds", `${options.seconds}`, "--output", output];
  const args = [join(ROOT, "scripts/bench-ovn.mjs"), ...length, ...rest];
  const { stdout } = await run(process.execPath, args, { signal, onLine: progress });
  return { text: stdout.trimEnd(), figures: JSON.parse(readFileSync(output, "utf8")) };
}
