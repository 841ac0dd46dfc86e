import { expect, test } from "vitest";
import {
  type LockedPackage,
  lockedPackages,
  packageName,
  productionPackages,
} from "../../support/lock-file.js";

/** What builds, checks or shows, and drivers of databases that are not ours. */
const NOT_IN_PRODUCTION = [
  /^prisma$/,
  /^@prisma\/(config|dev|engines|engines-version|fetch-engine|get-platform|studio-core)$/,
  /^@prisma\/(query-plan-executor|schema-engine-wasm|streams-local)$/,
  /^(mysql2|postgres|mariadb|mssql|better-sqlite3)$/,
  /^(typescript|vite|vitest|esbuild|rolldown|oxlint|dependency-cruiser|fast-check|autocannon)$/,
  /^(react|react-dom|effect|jiti|elkjs|lodash)$/,
  /^@(biomejs|oxlint|vitest|visx|radix-ui)\//,
];

/** Prisma's adapter depends on the types of its driver, which depend on those of Node. */
const TYPES_OF_THE_ADAPTER = ["@types/node", "@types/pg", "undici-types"];

const namesOf = (packages: ReadonlyMap<string, LockedPackage>) =>
  [...packages.keys()].map(packageName);

test("production has none of what only builds", () => {
  const strangers = namesOf(productionPackages()).filter((name) =>
    NOT_IN_PRODUCTION.some((pattern) => pattern.test(name)),
  );
  expect(strangers).toEqual([]);
});

test("production has no types but those that the database adapter depends on", () => {
  const types = namesOf(productionPackages()).filter((name) => /^@types\/|-types$/.test(name));
  // These two have code as well.
  const withoutCode = types.filter((name) => !["pg-types", "openapi-types"].includes(name));
  expect(withoutCode.sort()).toEqual(TYPES_OF_THE_ADAPTER);
});

test("what a production package must have beside it is there", () => {
  const present = new Set(namesOf(productionPackages()));
  const missing = [...productionPackages()].flatMap(([folder, locked]) =>
    requiredPeers(locked)
      .filter((peer) => !present.has(peer))
      .map((peer) => `${folder} needs ${peer}`),
  );
  expect(missing).toEqual([]);
});

test("every package is locked by its contents, wherever it is fetched from", () => {
  const entries = [...lockedPackages()];
  expect(entries.length).toBeGreaterThan(400);
  const unsure = entries.filter(([, { integrity }]) => !integrity?.startsWith("sha512-"));
  expect(unsure.map(([folder]) => folder)).toEqual([]);
  const fixed = entries.filter(([, { resolved }]) => resolved !== undefined);
  expect(fixed.map(([folder]) => folder)).toEqual([]);
});

function requiredPeers({ peerDependencies = {}, peerDependenciesMeta = {} }: LockedPackage) {
  return Object.keys(peerDependencies).filter(
    (name) => peerDependenciesMeta[name]?.optional !== true,
  );
}
