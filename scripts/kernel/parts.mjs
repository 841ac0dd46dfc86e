import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../lib/process.mjs";

/** Where a part in the guest leaves what it found, for the host. */
export const ANSWER = "/host/share/answer.json";

/**
 * What a run without arguments takes of `test/ovs`, dealt to the guests so that they end together.
 * All of it is `--all`: a guest's processes are slow to begin, and these tests begin thousands.
 */
export const CHOSEN = [
  [
    "test/ovs/backend/conntrack-settings.test.ts",
    "test/ovs/backend/cut.test.ts",
    "test/ovs/backend/drops.test.ts",
    "test/ovs/backend/peering.test.ts",
    "test/ovs/backend/restart.test.ts",
    "test/ovs/backend/timeouts.test.ts",
    "test/ovs/backend/zones.test.ts",
    "test/ovs/e2e/dead-ports.test.ts",
    "test/ovs/pipeline/interfaces.test.ts",
    "test/ovs/scripts/sandbox.test.ts",
  ],
  [
    "test/ovs/agreement/agreement.test.ts",
    "test/ovs/agreement/protocols.test.ts",
    "test/ovs/backend/trace.test.ts",
    "test/ovs/e2e/continuity.test.ts",
    "test/ovs/e2e/full-zones.test.ts",
    "test/ovs/e2e/groups.test.ts",
    "test/ovs/e2e/isolation.test.ts",
    "test/ovs/e2e/lifecycle.test.ts",
    "test/ovs/e2e/switch-restart.test.ts",
  ],
];

const NOT_RUN = join(ROOT, "test/kernel/not-run.json");

/**
 * Tests of `test/ovs` that mean nothing in the guest.
 * @returns {{ file: string, why: string }[]}
 */
export const notRun = () => JSON.parse(readFileSync(NOT_RUN, "utf8"));
