import { once } from "node:events";
import { accessSync, constants, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";

/** PostgreSQL refuses to run as root, and would outlive a killed test run without the signal. */
export function unprivileged(program: string, parameters: string[]): [string, ...string[]] {
  if (process.platform !== "linux") return [program, ...parameters];
  const user = isRoot() ? ["--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
  return ["setpriv", ...user, "--pdeathsig=QUIT", program, ...parameters];
}

export function findBinaries(): string {
  const found = [...debianFolders(), ...(process.env["PATH"] ?? "").split(delimiter)].find(
    (folder) => isExecutable(join(folder, "initdb")) && isExecutable(join(folder, "postgres")),
  );
  if (found === undefined) throw new Error("no PostgreSQL server here: install postgresql");
  return found;
}

function debianFolders(): string[] {
  const root = "/usr/lib/postgresql";
  if (!isExecutable(root)) return [];
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(root, version, "bin"));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // the question was whether
  }
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no TCP port");
  return address.port;
}
