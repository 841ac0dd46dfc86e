import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { JsonRpc } from "./json-rpc.js";
import type { Connection } from "./link.js";

const LIMIT_MS = 5000;

/**
 * Two connections to the control socket of ovs-vswitchd (ovs-appctl(8)): it answers the requests of
 * one connection strictly in turn, so one that waits needs a second one beside it. They break when
 * ovs-vswitchd ends, which nothing else shows: OVSDB keeps its last port numbers.
 */
export class Unixctl implements Connection {
  /** As in "3.1.0"; undefined when it says something else. */
  readonly version: string | undefined;
  /** Of ovs-vswitchd. */
  readonly pid: number;
  readonly #first: JsonRpc;
  readonly #second: JsonRpc;

  private constructor(pid: number, first: JsonRpc, second: JsonRpc, version: string | undefined) {
    this.pid = pid;
    this.#first = first;
    this.#second = second;
    this.version = version;
  }

  /** @param lost called once when ovs-vswitchd ends or the connection breaks */
  static async open(rundir: string, lost: (error: Error) => void): Promise<Unixctl> {
    const pid = await readPid(rundir);
    const path = join(rundir, `ovs-vswitchd.${pid}.ctl`);
    const address = { kind: "unix", path } as const;
    const first = await JsonRpc.connect(address, LIMIT_MS, { lost });
    let second: JsonRpc | undefined;
    try {
      second = await JsonRpc.connect(address, LIMIT_MS, { lost });
      const answer = await first.request("version", [], LIMIT_MS);
      const version = /(\d+\.\d+\.\d+)/.exec(String(answer))?.[1];
      return new Unixctl(pid, first, second, version);
    } catch (error) {
      first.close();
      second?.close();
      throw error;
    }
  }

  /** @throws RpcError when the command fails */
  async run(command: string, args: readonly string[], limitMs = LIMIT_MS): Promise<string> {
    return String(await this.#first.request(command, args, limitMs));
  }

  /** Runs a command while another one, started by `run`, is still waiting. */
  async runBeside(command: string, args: readonly string[]): Promise<string> {
    return String(await this.#second.request(command, args, LIMIT_MS));
  }

  /** The connection is lost unless ovs-vswitchd answers. */
  probe(): Promise<void> {
    return this.#second.probe("version", LIMIT_MS);
  }

  close(): void {
    this.#first.close();
    this.#second.close();
  }
}

async function readPid(rundir: string): Promise<number> {
  const file = join(rundir, "ovs-vswitchd.pid");
  const pid = Number.parseInt(await readFile(file, "utf8"), 10);
  if (!Number.isSafeInteger(pid) || pid <= 0) throw new Error(`${file} holds no process id`);
  return pid;
}
