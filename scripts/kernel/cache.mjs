import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { withLock } from "../lib/lock.mjs";
import { ROOT, run } from "../lib/process.mjs";
import { step } from "../lib/progress.mjs";

const FOLDER = join(ROOT, "test/kernel");
const SUITE = "bookworm";
const BUILD_PACKAGES = [
  "bc",
  "bison",
  "e2fsprogs",
  "flex",
  "gcc",
  "libc6-dev",
  "libelf-dev",
  "make",
  "mmdebstrap",
  "xz-utils",
];

/** @returns {string} where kernels and disks are kept from one run to the next */
const cacheFolder = () =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "patchbay/kernel");

/**
 * What a guest boots from: built when what they are built of has changed, found again otherwise.
 * @param {AbortSignal} signal
 * @returns {Promise<{ kernel: string, disk: string, built: string[] }>} files; `built`: which were not found
 */
export async function bootFiles(signal) {
  await requireSuite();
  await run(join(ROOT, "ovs/install.sh"), BUILD_PACKAGES, { show: true, signal });
  const node = process.execPath;
  const npm = resolve(dirname(node), "../lib/node_modules/npm");
  const built = [];
  const file = (name, inputs, script, args = []) =>
    found(name, inputs, signal, async (target, say) => {
      built.push(name);
      await run(join(FOLDER, script), [target, ...args], { signal, onLine: say });
    });
  const kernel = await file("kernel", await kernelInputs(), "build-kernel.sh");
  const disk = await file("disk", await diskInputs(node), "build-root.sh", [node, npm]);
  return { kernel, disk, built };
}

async function requireSuite() {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (release.includes(`VERSION_CODENAME=${SUITE}\n`)) return;
  throw new Error(`the guest is built of the packages of Debian 12 (${SUITE}), on such a machine`);
}

async function kernelInputs() {
  const { stdout: source } = await run(join(FOLDER, "kernel-source.sh"), ["version"]);
  const scripts = ["build-kernel.sh", "kernel-source.sh", "kernel.config"];
  return [...sources(scripts), source, await candidates(["gcc"]), process.arch];
}

async function diskInputs(node) {
  const guest = ["guest/enter", "guest/patchbay-job.service"];
  const versions = await candidates(["openvswitch-switch", "systemd", "ovn-central"]);
  return [
    ...sources(["build-root.sh", "packages.txt", ...guest]),
    versions,
    node,
    process.version,
    process.arch,
  ];
}

const sources = (names) => names.map((name) => readFileSync(join(FOLDER, name)));

/** @returns {Promise<string>} the versions that would be installed now */
async function candidates(packages) {
  const { stdout } = await run("apt-cache", ["policy", ...packages]);
  return (stdout.match(/^\s+Candidate: .*$/gm) ?? []).join("\n");
}

async function found(name, inputs, signal, build) {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(input).update("\0");
  const file = join(cacheFolder(), `${name}-${hash.digest("hex").slice(0, 16)}`);
  mkdirSync(dirname(file), { recursive: true });
  await withLock(`${file}.lock`, async () => {
    signal.throwIfAborted();
    if (!existsSync(file)) await step(`building the guest's ${name}`, (say) => build(file, say));
  });
  return file;
}
