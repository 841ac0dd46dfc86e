import { once } from "node:events";
import type { Socket } from "node:net";
import { type BundleStep, formatStep } from "../../openflow/bundle-step.js";
import {
  BUNDLE_XIDS,
  encodeCommit,
  encodeStaging,
  isCommitReply,
} from "../../openflow/wire/bundle.js";
import {
  encodeMessage,
  MESSAGE_TYPES,
  type Message,
  MessageScanner,
} from "../../openflow/wire/message.js";
import { describeRefusal } from "../../openflow/wire/refusal.js";
import { messageOf } from "./message-of.js";
import { openStream } from "./stream-address.js";

const LIMIT_MS = 10_000;

/** A bundle was not carried out, or nobody knows whether it was. */
export class BundleError extends Error {
  override readonly name = "BundleError";
  /** Whether there is no point in trying the next bridge: the switch hangs. */
  readonly hopeless: boolean;

  constructor(message: string, options: { readonly hopeless?: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.hopeless = options.hopeless ?? false;
  }
}

/** A change that can be made at one moment. */
export interface StagedChange {
  /**
   * Makes all of it, or nothing.
   * @throws BundleError, CommandError
   */
  commit(): Promise<void>;
  /** Nothing of it will be made. Does nothing after `commit`. */
  discard(): void;
}

/** As `stageBundle`. */
export type StageBundle = (path: string, steps: readonly BundleStep[]) => Promise<StagedChange>;

/**
 * Prepares to carry out all steps on the bridge whose management socket is at `path`, or none of
 * them, without a moment in between.
 *
 * Each bundle has its connection, and ends with it unless it was committed. It can be only once the
 * switch has taken every step: it would carry out the others without one that it has refused. The
 * switch forgets a bundle that waits for long (`bundle-idle-timeout` of ovs-vswitchd.conf.db(5), 10 s).
 * @throws NotEncodable, BundleError
 */
export async function stageBundle(
  path: string,
  steps: readonly BundleStep[],
  limitMs = LIMIT_MS,
): Promise<StagedChange> {
  const conversation = new Conversation(await connect(path, limitMs), steps);
  const discard = () => conversation.end(new BundleError("the bundle is over", {}));
  try {
    await conversation.within(limitMs, () => conversation.stage());
  } catch (error) {
    discard();
    throw error;
  }
  const commit = async () => {
    try {
      await conversation.within(limitMs, () => conversation.commit());
    } finally {
      discard();
    }
  };
  return { commit, discard };
}

async function connect(path: string, limitMs: number): Promise<Socket> {
  try {
    return await openStream({ kind: "unix", path }, limitMs);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // A switch that hangs lets nobody in: neither at once (its queue is full) nor later.
    const hopeless = code === undefined || code === "EAGAIN";
    const reason = messageOf(error);
    throw new BundleError(`ovs-vswitchd cannot be reached: ${reason}`, { hopeless, cause: error });
  }
}

function silence(limitMs: number): BundleError {
  const message = `ovs-vswitchd did not answer within ${limitMs / 1000} s`;
  return new BundleError(message, { hopeless: true });
}

/** What is said on one connection, up to its end. */
class Conversation {
  readonly #socket: Socket;
  readonly #steps: readonly BundleStep[];
  readonly #scanner = new MessageScanner();
  /** Who waits for the next answer. */
  #waiting: { resolve(): void; reject(error: Error): void } | undefined;
  #ended: Error | undefined;

  constructor(socket: Socket, steps: readonly BundleStep[]) {
    this.#socket = socket;
    this.#steps = steps;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.end(lost(error.message)));
    socket.on("close", () => this.end(lost("the connection was closed")));
  }

  /** Ends the conversation when the switch takes longer. */
  async within(limitMs: number, work: () => Promise<void>): Promise<void> {
    const timer = setTimeout(() => this.end(silence(limitMs)), limitMs);
    try {
      await work();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves once the switch has taken every step. */
  async stage(): Promise<void> {
    await Promise.all([this.#answer(), this.#sendAll()]);
  }

  async commit(): Promise<void> {
    const answer = this.#answer();
    this.#socket.write(encodeCommit());
    await answer;
  }

  end(error: Error): void {
    this.#ended ??= error;
    this.#socket.destroy();
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
  }

  /** A switch that is slow to read is not outrun: large bundles do not pile up in memory. */
  async #sendAll(): Promise<void> {
    for (const chunk of encodeStaging(this.#steps)) {
      if (!this.#socket.write(chunk)) await once(this.#socket, "drain");
    }
  }

  #answer(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended === undefined) this.#waiting = { resolve, reject };
      else reject(this.#ended);
    });
  }

  #read(chunk: Buffer): void {
    try {
      for (const message of this.#scanner.push(chunk)) this.#receive(message);
    } catch (error) {
      this.end(lost(messageOf(error)));
    }
  }

  #receive(message: Message): void {
    const { type, xid, body } = message;
    const isStaged = type === MESSAGE_TYPES.barrierReply && xid === BUNDLE_XIDS.barrier;
    if (type === MESSAGE_TYPES.error) this.end(this.#refusal(xid, body));
    else if (isStaged || isCommitReply(message)) this.#waiting?.resolve();
    else if (type === MESSAGE_TYPES.echoRequest) {
      this.#socket.write(encodeMessage(MESSAGE_TYPES.echoReply, xid, body));
    }
  }

  #refusal(xid: number, body: Buffer): BundleError {
    const step = this.#steps[xid - BUNDLE_XIDS.firstStep];
    const what = step === undefined ? "a bundle" : `"${formatStep(step)}"`;
    return new BundleError(`the switch refuses ${what}: ${describeRefusal(body)}`, {});
  }
}

function lost(reason: string): BundleError {
  return new BundleError(`the connection to ovs-vswitchd was lost amid a bundle: ${reason}`, {});
}
