import { defineConfig } from "vitest/config";

const shared = { environment: "node" as const, restoreMocks: true };

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: "unit", include: ["test/unit/**/*.test.ts"] } },
      {
        test: {
          ...shared,
          name: "api",
          include: ["test/api/**/*.test.ts"],
          globalSetup: ["test/support/databases.global-setup.ts"],
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...shared,
          name: "ovs",
          include: ["test/ovs/**/*.test.ts"],
          // Several switches at once on a small machine only slow one another down.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...shared,
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          fileParallelism: false,
        },
      },
    ],
  },
});
