import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import { productionPackages, ROOT } from "../../support/lock-file.js";
import { DaemonNursery } from "./process.js";

// Some thousand files are copied.
vi.setConfig({ testTimeout: 120_000 });

const nursery = new DaemonNursery();
afterEach(() => nursery.clear());

test("what `npm ci --omit=dev` installs is enough to serve", async () => {
  const [home, { path }] = [await nursery.emptyDir(), await nursery.dataDir()];
  await install(home);
  const daemon = nursery.spawn(
    { PATCHBAY_DATA_DIR: path, NODE_ENV: "production" },
    { main: join(home, "dist/main.js") },
  );
  const url = await daemon.listening;
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect((await fetch(`${url}/openapi.json`)).status).toBe(200);
  expect((await fetch(`${url}/docs/`)).status).toBe(200);
  daemon.signal("SIGTERM", "process");
  expect(await daemon.ended).toBe(0);
});

/** What the image holds, made of what this clone has installed and built. */
async function install(home: string): Promise<void> {
  const paths = contents();
  for (const folder of new Set(paths.map(dirname))) {
    await mkdir(join(home, folder), { recursive: true });
    const sources = paths.filter((path) => dirname(path) === folder);
    // A program of its own: Node takes many times as long for so many files.
    await promisify(execFile)("cp", ["-R", ...sources, join(home, folder)], { cwd: ROOT });
  }
}

/** Packages inside of others come with those. */
function contents(): string[] {
  const topmost = [...productionPackages().keys()].filter((path) => !/.node_modules/.test(path));
  const installed = topmost.filter((path) => existsSync(join(ROOT, path)));
  return ["package.json", "dist", "prisma/migrations", ...installed];
}
