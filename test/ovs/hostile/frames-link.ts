import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const PROGRAM = fileURLToPath(new URL("frames_throw.py", import.meta.url));
const PYTHON = "/usr/bin/python3";

/**
 * Sends raw frames from inside a namespace, in order.
 * @returns how many: those that are longer than the device takes are left out
 */
export async function throwFrames(netns: string, device: string, frames: readonly Buffer[]) {
  const input = frames.map((frame) => frame.toString("hex")).join("\n");
  const program = ["netns", "exec", netns, PYTHON, PROGRAM, device];
  return Number((await execa("ip", program, { input })).stdout);
}

export async function macOfDevice(device: string): Promise<string> {
  return (await readFile(`/sys/class/net/${device}/address`, "utf8")).trim();
}

/** Frames that have come in by a device of the host, since it was made. */
export async function received(device: string): Promise<number> {
  return Number(await readFile(`/sys/class/net/${device}/statistics/rx_packets`, "utf8"));
}

/**
 * How many frames that came in were not dropped, at one moment: what came while the second count was
 * read is not in the first, so both are read again. A workload's kernel sends by itself at any time.
 */
export async function receivedAndKept(device: string): Promise<number> {
  for (;;) {
    const before = await received(device);
    const dropped = await droppedBehindSwitch(device);
    if ((await received(device)) === before) return before - dropped;
  }
}

/** How many of them were dropped behind the place where the switch listens in. */
async function droppedBehindSwitch(device: string): Promise<number> {
  const { stdout } = await execa("tc", ["-s", "-j", "qdisc", "show", "dev", device]);
  const queues: ReadonlyArray<{ kind: string; drops?: number }> = JSON.parse(stdout);
  return queues.find(({ kind }) => kind === "clsact")?.drops ?? 0;
}
