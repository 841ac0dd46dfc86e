import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/process.mjs";

/** Where a part in the guest leaves what it found, for the host. */
export const ANSWER = "/host/share/answer.json";

const NOT_RUN = join(ROOT, "test/kernel/not-run.json");

/**
 * Tests of `test/ovs` that mean nothing on the kernel datapath.
 * @returns {{ file: string, why: string }[]}
 */
export const notRun = () => JSON.parse(readFileSync(NOT_RUN, "utf8"));
