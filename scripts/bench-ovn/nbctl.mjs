import { once } from "node:events";
import net from "node:net";

/**
 * Speaks to ovn-nbctl in daemon mode over its control socket, as the program ovn-nbctl itself
 * does, but without starting a process for each command: OVN's fastest way to be asked.
 */
export class Nbctl {
  #socket;
  #pending = new Map();
  #received = "";
  #next = 0;

  static async connect(path) {
    const socket = net.connect(path).setEncoding("utf8");
    await once(socket, "connect");
    return new Nbctl(socket);
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (text) => this.#take(text));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("ovn-nbctl closed its socket")));
  }

  /**
   * One transaction.
   * @param {string[][]} commands
   * @param {{ wait?: "hv" }} options `hv`: answered when ovn-controller has installed everything
   */
  run(commands, { wait } = {}) {
    const words = commands.flatMap((command) => ["--", ...command]).slice(1);
    const params = [...(wait ? [`--wait=${wait}`] : []), ...words];
    const id = this.#next;
    this.#next += 1;
    return new Promise((done, fail) => {
      this.#pending.set(id, { done, fail });
      this.#socket.write(JSON.stringify({ id, method: "run", params }));
    });
  }

  close() {
    this.#socket.destroy();
  }

  /** Answers come one at a time and whole, each a JSON object; nothing separates two of them. */
  #take(text) {
    this.#received += text;
    let answer;
    try {
      answer = JSON.parse(this.#received);
    } catch (error) {
      if (error instanceof SyntaxError) return;
      throw error;
    }
    this.#received = "";
    const waiting = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.error === null) waiting?.done(answer.result);
    else waiting?.fail(new Error(`ovn-nbctl: ${String(answer.error).trim()}`));
  }

  #fail(error) {
    for (const { fail } of this.#pending.values()) fail(error);
    this.#pending.clear();
  }
}
