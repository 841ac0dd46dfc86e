import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's top folder. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What package-lock.json says of one installed package. */
export interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** @returns by folder (`node_modules/…`), without this package itself */
export function lockedPackages(): ReadonlyMap<string, LockedPackage> {
  const { packages } = JSON.parse(readFileSync(`${ROOT}package-lock.json`, "utf8"));
  const { "": _self, ...installed } = packages as Record<string, LockedPackage>;
  return new Map(Object.entries(installed));
}

/** What `npm ci --omit=dev` installs: npm leaves out what is marked `dev`, and nothing else. */
export function productionPackages(): ReadonlyMap<string, LockedPackage> {
  return new Map([...lockedPackages()].filter(([, { dev }]) => dev !== true));
}

/** @returns the package's name: `node_modules/a/node_modules/@b/c` is `@b/c` */
export const packageName = (folder: string) => folder.split("node_modules/").at(-1) ?? folder;
