import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Host } from "../../support/netns.js";
import { type NetworkInterface, waitFor } from "../../support/rest.js";

const PROGRAM = fileURLToPath(new URL("workload.py", import.meta.url));
/** Debian's, whatever else is in PATH. */
const PYTHON = "/usr/bin/python3";
const START_LIMIT_MS = 15_000;
const CONNECT_LIMIT_SECONDS = 1;
const SPRAY_INTERVAL_SECONDS = 0.02;

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A line that workload.py prints. */
interface Line {
  readonly ready?: true;
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: string;
  readonly seen?: string;
  readonly frame?: string;
}

/** Marked frames that came in. */
export interface Sighting {
  readonly count: number;
  /** As hex. */
  readonly first?: string;
}

/** Something plugged into a VPC that sends and receives what it is told to. */
export class Workload {
  readonly name: string;
  readonly eni: NetworkInterface;
  readonly host: Host;
  readonly #seen = new Map<string, Sighting>();
  readonly #pending = new Map<number, Pending>();
  readonly #program: ReturnType<Host["spawn"]>;
  #ready = false;
  #errors = "";
  #number = 0;

  private constructor(name: string, eni: NetworkInterface, host: Host) {
    this.name = name;
    this.eni = eni;
    this.host = host;
    this.#program = host.spawn(PYTHON, PROGRAM);
    this.#program.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    createInterface(this.#program.stdout).on("line", (line) => this.#read(JSON.parse(line)));
    this.#program.once("exit", () => this.#ended());
  }

  /** Starts the program in a host; destroying the host ends it. */
  static async start(name: string, eni: NetworkInterface, host: Host): Promise<Workload> {
    const workload = new Workload(name, eni, host);
    await waitFor(() => workload.#ready, START_LIMIT_MS, `workload.py in ${name}`).catch(
      (error: unknown) => {
        throw new Error(`workload.py does not start: ${workload.#errors}`, { cause: error });
      },
    );
    return workload;
  }

  get ip(): string {
    return this.eni.privateIp;
  }

  get mac(): string {
    return this.eni.macAddress;
  }

  /** The MAC that the gateway answers with. */
  async routerMac(): Promise<string> {
    await this.host.ping(this.eni.gateway);
    const neighbour = await this.host.exec("ip", "neigh", "show", this.eni.gateway);
    const mac = /lladdr ([0-9a-f:]{17})/.exec(neighbour)?.[1];
    if (mac === undefined) throw new Error(`${this.name}: no answer to ARP: ${neighbour}`);
    return mac;
  }

  /** Whether TCP reaches the other one, and its answer comes back. */
  async connects(to: Workload): Promise<boolean> {
    return (await this.#ask("connect", { ip: to.ip, seconds: CONNECT_LIMIT_SECONDS })) === true;
  }

  /** Sends raw frames, in order; resolves when they are with the kernel. */
  async send(frames: readonly Buffer[]): Promise<void> {
    await this.#ask("send", { frames: frames.map((frame) => frame.toString("hex")) });
  }

  /** Sends raw frames over and over, until the host is destroyed. */
  async spray(frames: readonly Buffer[]): Promise<void> {
    const hex = frames.map((frame) => frame.toString("hex"));
    await this.#ask("spray", { frames: hex, interval: SPRAY_INTERVAL_SECONDS });
  }

  /** How often all sprays together have sent their frames. */
  async sprayed(): Promise<number> {
    return Number(await this.#ask("sprayed"));
  }

  /** Starts a TCP transfer without end. */
  async streamTo(to: Workload): Promise<void> {
    await this.#ask("stream_to", { ip: to.ip });
  }

  /** How often TCP has sent in vain what the transfer's far end has not acknowledged. */
  async retransmits(): Promise<number> {
    return Number(await this.#ask("retransmits"));
  }

  /** Bytes of transfers that have come in. */
  async received(): Promise<number> {
    return Number(await this.#ask("received"));
  }

  /** The frames with this label that came in. */
  seen(label: string): Sighting {
    return this.#seen.get(label) ?? { count: 0 };
  }

  #note(label: string, frame: string): void {
    const { count, first = frame } = this.seen(label);
    this.#seen.set(label, { count: count + 1, first });
  }

  #ask(op: string, parameters: object = {}): Promise<unknown> {
    this.#number += 1;
    const id = this.#number;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#program.stdin.write(`${JSON.stringify({ id, op, ...parameters })}\n`);
    });
  }

  #read({ ready, id, result, error, seen, frame = "" }: Line): void {
    if (ready === true) this.#ready = true;
    if (seen !== undefined) this.#note(seen, frame);
    if (id === undefined) return;
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(result);
    else pending?.reject(new Error(`${this.name}: ${error}`));
  }

  #ended(): void {
    const error = new Error(`${this.name}: workload.py has ended: ${this.#errors}`);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}
