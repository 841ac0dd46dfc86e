import { chmod, mkdir, mkdtemp, open, rename, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { execa } from "execa";

const CLOCK_SHIM = fileURLToPath(new URL("clock-shim.mjs", import.meta.url));
const DISK_SIZE = "384m";
const ZEROS = Buffer.alloc(1024 * 1024);
const COMMAND_LIMIT_MS = 15_000;

export type OfctlMode = "works" | "is slow" | "fails" | "hangs";

/** What a daemon finds around it, all of which can be disturbed: a disk, a clock, a program. */
export interface Surroundings {
  /** A small disk of its own. */
  readonly disk: string;
  /** For the daemon. */
  readonly env: Readonly<Record<string, string>>;
  setOfctl(mode: OfctlMode): Promise<void>;
  /** Steps the daemon's clock to this far from the true time. */
  setClock(offsetMs: number): Promise<void>;
  /** Fills the disk until this is left. */
  fillDisk(leaveBytes: number): Promise<void>;
  freeDisk(): Promise<void>;
  dispose(): Promise<void>;
}

export async function makeSurroundings(): Promise<Surroundings> {
  const dir = await mkdtemp(join(tmpdir(), "pbf-"));
  const disk = join(dir, "disk");
  const [control, clock, filler] = [join(dir, "ofctl"), join(dir, "clock"), join(disk, "filler")];
  await mkdir(disk);
  await run("mount", "-t", "tmpfs", "-o", `size=${DISK_SIZE},mode=0700`, "patchbay-faults", disk);
  await replace(clock, "0");
  await replace(control, "works");
  const bin = await wrapOfctl(dir, control);
  return {
    disk,
    env: {
      PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`,
      NODE_OPTIONS: `--import=${pathToFileURL(CLOCK_SHIM).href}`,
      FAULTS_CLOCK_FILE: clock,
    },
    setOfctl: (mode) => replace(control, mode),
    setClock: (offsetMs) => replace(clock, String(offsetMs)),
    fillDisk: async (leaveBytes) => {
      const { bavail, bsize } = await statfs(disk);
      await fill(filler, bavail * bsize - leaveBytes);
    },
    freeDisk: () => rm(filler, { force: true }),
    dispose: async () => {
      await run("umount", "--lazy", disk);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Nobody may read half of it, or nothing. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

/** Others write at the same time: that the disk is full before all is written is as well. */
async function fill(file: string, bytes: number): Promise<void> {
  const filler = await open(file, "a");
  try {
    for (let left = bytes; left > 0; left -= ZEROS.length) {
      await filler.write(ZEROS, 0, Math.min(left, ZEROS.length));
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    await filler.close();
  }
}

/** An ovs-ofctl that does as the file says before it does what it is for. */
async function wrapOfctl(dir: string, control: string): Promise<string> {
  const real = (await run("sh", "-c", "command -v ovs-ofctl")).trim();
  const bin = join(dir, "bin");
  const script = [
    "#!/bin/sh",
    `mode=$(cat '${control}')`,
    'case "$mode" in',
    '"is slow") sleep 0.7 ;;',
    'fails) echo "ovs-ofctl: made to fail" >&2; exit 1 ;;',
    // It ends with the fault, or it would be left behind with a daemon that is killed.
    `hangs) while [ "$(cat '${control}')" = hangs ]; do sleep 0.2; done; exit 1 ;;`,
    "esac",
    `exec '${real}' "$@"`,
  ];
  await mkdir(bin);
  await writeFile(join(bin, "ovs-ofctl"), `${script.join("\n")}\n`);
  await chmod(join(bin, "ovs-ofctl"), 0o755);
  return bin;
}

async function run(program: string, ...args: string[]): Promise<string> {
  return (await execa(program, args, { timeout: COMMAND_LIMIT_MS })).stdout;
}
