import { bold, dim, green, out, red, yellow } from "./terminal.mjs";

const WIDTH = 66;

/** Numbered steps, one line each, aligned, and whether all went as they should. */
export class Steps {
  #number = 0;
  #failed = 0;
  #skipped = 0;
  #stopped = false;

  /** One step that must succeed. @returns what `work` returns */
  async do(text, work, describe = () => "") {
    this.#begin(text);
    try {
      const result = await work();
      this.#end(true, describe(result));
      return result;
    } catch (error) {
      this.#end(false, error.message);
      throw error;
    }
  }

  /** One observation and what it should be. The demonstration goes on when it is something else. */
  async expect(text, wanted, work, describe) {
    this.#begin(text);
    const found = await work();
    this.#end(found === wanted, describe(found));
  }

  /** Something that this machine cannot show. */
  skip(text, why) {
    this.#begin(text);
    this.#skipped += 1;
    out(`${yellow("–")} ${dim(why)}`);
  }

  /** Lets no further step begin. */
  stop() {
    this.#stopped = true;
  }

  get failed() {
    return this.#failed;
  }

  get skipped() {
    return this.#skipped;
  }

  #begin(text) {
    if (this.#stopped) throw new Error("stopped");
    this.#number += 1;
    process.stdout.write(`${dim(String(this.#number).padStart(3))}  ${text.padEnd(WIDTH)}`);
  }

  #end(good, detail) {
    if (!good) this.#failed += 1;
    out(`${good ? green("✓") : red("✗")} ${good ? dim(detail) : bold(red(detail))}`);
  }
}

export function heading(text) {
  out();
  out(bold(text));
}

/** Flows of a switch: a line for what they match, a line for what they do. */
export function listing(flows, most = 20) {
  for (const flow of flows.slice(0, most)) {
    const [, match = flow, actions = ""] = /^(.*?),? actions[=:](.*)$/.exec(flow) ?? [];
    out(dim(fitted(`       ${match}`)));
    if (actions !== "") out(dim(fitted(`         → ${actions}`)));
  }
  if (flows.length > most) out(dim(`       … and ${flows.length - most} more`));
}

/** Cut at the terminal's edge; whole where there is no terminal. */
function fitted(line) {
  const width = process.stdout.columns ?? Number.POSITIVE_INFINITY;
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}
