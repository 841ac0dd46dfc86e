import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { z } from "zod";
import { chosenDatapath, TRAITS } from "../../support/datapath.js";
import { patient } from "../../support/patience.js";
import { waitFor } from "../../support/rest.js";
import { type Program, startPython } from "../program.js";
import type { Workload } from "./workload.js";

const PROGRAM = fileURLToPath(new URL("stream.py", import.meta.url));
const SENDING_LIMIT_MS = 60_000;
const UNDER_WAY_LIMIT_MS = patient(5_000);
const POLL_MS = 40;

const received = z.object({
  connections: z.array(
    z.object({
      bytes: z.number(),
      intact: z.boolean(),
      ended: z.string().nullable(),
      longestGapMs: z.number(),
    }),
  ),
  datagrams: z.record(z.string(), z.number()),
});

const sent = z.object({ bytes: z.number(), datagrams: z.number() });

export type Received = z.infer<typeof received>;
export type Sent = z.infer<typeof sent>;

/** One host that sends numbered traffic to another, and the other's account of it. */
export interface Stream {
  readonly name: string;
  /** By which the receiver tells its senders apart. */
  readonly label: string;
  /** What was sent so far. */
  sent(): Promise<Sent>;
  /** What the receiver has of all who send to it. */
  received(): Promise<Received>;
  /** Packets of the sender's since the start that the switch has come too late to read. */
  unread(): Promise<number>;
  /** Ends the sending; resolves when nothing is sent any more. */
  stop(): Promise<Sent>;
}

/** One receiver in each host that is sent to; at most one of its senders may send a TCP stream. */
export class Streams {
  readonly #receivers = new Map<Workload, Program>();
  readonly #senders: Program[] = [];

  /**
   * @param how `send` for a TCP stream and datagrams, `probe` for datagrams alone
   * @returns once the TCP connection, if any, is made
   */
  async start(from: Workload, to: Workload, how: "send" | "probe"): Promise<Stream> {
    const unreadBefore = await unreadAt(from.host.port);
    const receiver = await this.#receiver(to);
    const sender = await startPython(from.host, PROGRAM, how, to.ip, from.name);
    this.#senders.push(sender);
    return {
      name: `${from.name}>${to.name}`,
      label: from.name,
      sent: async () => sent.parse(JSON.parse(await sender.ask(""))),
      received: () => accountOf(receiver),
      unread: async () => (await unreadAt(from.host.port)) - unreadBefore,
      stop: async () => sent.parse(JSON.parse(await sender.ask("stop"))),
    };
  }

  /**
   * Lets another host receive what is sent to its address, which is `from`'s receiver's as well.
   * @returns what tells how many datagrams of `from` have come to it
   */
  async receive(to: Workload, from: Workload): Promise<() => Promise<number>> {
    const receiver = await this.#receiver(to);
    return async () => (await accountOf(receiver)).datagrams[from.name] ?? 0;
  }

  async #receiver(of: Workload): Promise<Program> {
    const receiver = this.#receivers.get(of) ?? (await startPython(of.host, PROGRAM, "receive"));
    this.#receivers.set(of, receiver);
    return receiver;
  }

  /** Ends all programs, and connections with them. */
  end(): void {
    for (const program of [...this.#senders, ...this.#receivers.values()]) program.end();
  }
}

async function accountOf(receiver: Program): Promise<Received> {
  return received.parse(JSON.parse(await receiver.ask("")));
}

/** Goes on for so many datagrams more: traffic, and not time, tells how long. */
export async function goOn(stream: Stream, datagrams: number): Promise<void> {
  const until = (await stream.sent()).datagrams + datagrams;
  const reached = async () => (await stream.sent()).datagrams >= until;
  await waitFor(reached, SENDING_LIMIT_MS, `${datagrams} more datagrams of ${stream.name}`);
}

/**
 * What the switch came too late for, and the kernel dropped and counted: when others take all of the
 * processor for a third of a second, a queue overflows.
 */
function unreadAt(port: string): Promise<number> {
  return TRAITS[chosenDatapath()].readsPortsFromSockets ? droppedAtSocket(port) : lostOnWayUp();
}

/** Packets that met no flow of the kernel's, of all ports. */
async function lostOnWayUp(): Promise<number> {
  const { stdout } = await execa("ovs-dpctl", ["show", TRAITS.system.dpctlName]);
  const lost = /lost:(\d+)/.exec(stdout)?.[1];
  if (lost === undefined) throw new Error(`the datapath does not say what it has lost: ${stdout}`);
  return Number(lost);
}

async function droppedAtSocket(port: string): Promise<number> {
  const { stdout } = await execa("ss", ["--packet", "--memory", "--numeric", "--no-header"]);
  const line = stdout.split("\n").find((each) => each.includes(`*:${port} `));
  const dropped = /skmem:\(.*,d(\d+)\)/.exec(line ?? "")?.[1];
  if (dropped === undefined) throw new Error(`the switch does not read port ${port}: ${stdout}`);
  return Number(dropped);
}

/** What the switch was given and has not delivered, once nothing is sent any more. */
export interface Losses {
  readonly name: string;
  readonly datagrams: number;
  readonly bytes: number;
}

/** The one TCP connection of a stream: everything in it has arrived in order, and it lives. */
export const UNBROKEN = [{ intact: true, ended: null }];

/**
 * Stops a stream and waits for what is under way; what is missing then has been lost.
 * @param beside tells how many datagrams have come to another host with the receiver's address
 */
export async function lossesOf(
  stream: Stream,
  beside: () => Promise<number> = async () => 0,
): Promise<Losses> {
  const { name } = stream;
  const { bytes, datagrams } = await stream.stop();
  const deadline = performance.now() + UNDER_WAY_LIMIT_MS;
  for (;;) {
    const came = await stream.received();
    const arrived = came.connections.reduce((sum, connection) => sum + connection.bytes, 0);
    const missing = datagrams - (came.datagrams[stream.label] ?? 0) - (await beside());
    const lost = {
      name,
      bytes: bytes === 0 ? 0 : bytes - arrived,
      datagrams: Math.max(0, missing - (await stream.unread())),
    };
    if (lost.bytes + lost.datagrams === 0 || performance.now() > deadline) return lost;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
