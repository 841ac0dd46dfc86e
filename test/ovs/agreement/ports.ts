import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { waitFor } from "../../support/rest.js";
import { type Sandbox, uniqueName } from "../../support/sandbox.js";

const PYTHON = "/usr/bin/python3";
const PROGRAM = fileURLToPath(new URL("ports.py", import.meta.url));
const LIMIT_MS = 10_000;

interface Line {
  readonly opened?: string;
  readonly seen?: string;
  readonly on?: string;
}

/** Ports of the switch for network interfaces, on whose other ends raw frames come and go. */
export class Ports {
  readonly #sandbox: Sandbox;
  readonly #program: ChildProcessWithoutNullStreams;
  readonly #tag = uniqueName("g").slice(0, 7);
  /** By network interface: the end of its veth pair that is not plugged in. */
  readonly #devices = new Map<string, string>();
  readonly #opened = new Set<string>();
  #seen: { label: string; on: string }[] = [];
  #errors = "";

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
    this.#program = spawn(PYTHON, [PROGRAM]);
    this.#program.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    createInterface(this.#program.stdout).on("line", (line) => this.#read(JSON.parse(line)));
  }

  /** Plugs an interface in, unless it is. */
  async plug(bridge: string, networkInterfaceId: string): Promise<void> {
    const device = this.#devices.get(networkInterfaceId) ?? (await this.#make(networkInterfaceId));
    const port = plugged(device);
    const there = (await this.#sandbox.vsctl("list-ports", bridge)).split("\n");
    if (there.includes(port)) return;
    const claim = `external_ids:iface-id=${networkInterfaceId}`;
    await this.#sandbox.vsctl("add-port", bridge, port, "--", "set", "Interface", port, claim);
  }

  send(networkInterfaceId: string, frame: Buffer): void {
    const device = this.#devices.get(networkInterfaceId);
    if (device === undefined) throw new Error(`${networkInterfaceId} is not plugged in`);
    this.#tell({ send: device, frame: frame.toString("hex") });
  }

  /** The interfaces at which a frame with this label came in. */
  seen(label: string): string[] {
    const ids = new Map([...this.#devices].map(([id, device]) => [device, id]));
    return this.#seen.filter((each) => each.label === label).map(({ on }) => ids.get(on) ?? on);
  }

  forget(): void {
    this.#seen = [];
  }

  async close(): Promise<void> {
    this.#program.kill("SIGKILL");
    for (const device of this.#devices.values()) {
      await execa("ip", ["link", "del", device], { reject: false });
    }
  }

  async #make(networkInterfaceId: string): Promise<string> {
    const device = `${this.#tag}a${this.#devices.size}`;
    await execa("ip", ["link", "add", device, "type", "veth", "peer", "name", plugged(device)]);
    for (const end of [device, plugged(device)]) {
      await execa("sysctl", ["-qw", `net.ipv6.conf.${end}.disable_ipv6=1`], { reject: false });
      await execa("ip", ["link", "set", end, "up"]);
    }
    this.#devices.set(networkInterfaceId, device);
    this.#tell({ open: device });
    await waitFor(() => this.#opened.has(device), LIMIT_MS, `${device}: ${this.#errors}`);
    return device;
  }

  #tell(command: object): void {
    this.#program.stdin.write(`${JSON.stringify(command)}\n`);
  }

  #read({ opened, seen, on }: Line): void {
    if (opened !== undefined) this.#opened.add(opened);
    if (seen !== undefined && on !== undefined) this.#seen.push({ label: seen, on });
  }
}

function plugged(device: string): string {
  return device.replace("a", "b");
}
