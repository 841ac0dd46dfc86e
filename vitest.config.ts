import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { patient } from "./test/support/patience.js";

const shared = { environment: "node" as const, restoreMocks: true };

/** Loading Prisma and the app takes seconds: files share what is loaded. */
const together = { ...shared, isolate: false };
const onAllCores = { ...together, maxWorkers: availableParallelism() };

export default defineConfig({
  test: {
    projects: [
      { test: { ...onAllCores, name: "unit", include: ["test/unit/**/*.test.ts"] } },
      {
        test: {
          ...onAllCores,
          name: "api",
          include: ["test/api/**/*.test.ts", "test/fuzz/short.test.ts"],
          globalSetup: ["test/support/databases.global-setup.ts"],
          setupFiles: ["test/support/no-warnings.setup.ts"],
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...together,
          name: "ovs",
          include: ["test/ovs/**/*.test.ts"],
          globalSetup: ["test/support/embedded.global-setup.ts"],
          // Several switches at once on a small machine only slow one another down.
          fileParallelism: false,
          testTimeout: patient(120_000),
          hookTimeout: patient(120_000),
        },
      },
      {
        test: {
          ...shared,
          name: "fuzz",
          include: ["test/fuzz/long.test.ts"],
          globalSetup: ["test/support/embedded.global-setup.ts"],
        },
      },
      {
        test: {
          ...shared,
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          globalSetup: ["test/support/embedded.global-setup.ts"],
          fileParallelism: false,
        },
      },
    ],
  },
});
