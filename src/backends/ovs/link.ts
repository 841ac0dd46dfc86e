/** A connection that is open; it tells its link when it is lost. */
export interface Connection {
  close(): void;
}

export interface LinkOptions<C extends Connection> {
  /** Opens a connection, which calls `lost` if it ends by itself. Has a time limit of its own. */
  open(lost: (error: Error) => void): Promise<C>;
  up(connection: C): void;
  down(error: Error): void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/** Keeps a connection open: opens it again, with growing and jittered pauses, whenever it is lost. */
export class Link<C extends Connection> {
  readonly #options: LinkOptions<C>;
  #connection: C | undefined;
  #error = new Error("not connected yet");
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #attempt: Promise<void> | undefined;
  /** Lets go of whoever waits for the attempt under way. */
  #release: () => void = () => {};
  #stopped = true;

  constructor(options: LinkOptions<C>) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#connection?.close();
    this.#connection = undefined;
    this.#error = new Error("not connected any more: it is stopped");
    this.#attempt = undefined;
    this.#release();
  }

  /**
   * The open connection; waits for an attempt that is under way, and not beyond `stop`.
   * @throws Error that ended the last attempt or connection
   */
  async ready(): Promise<C> {
    await this.#attempt;
    return this.current();
  }

  /** @throws Error that ended the last attempt or connection */
  current(): C {
    if (this.#connection === undefined) throw this.#error;
    return this.#connection;
  }

  /** Undefined while there is none. */
  get connection(): C | undefined {
    return this.#connection;
  }

  #connect(): void {
    const attempt = new Promise<void>((resolve) => {
      this.#release = resolve;
      const over = () => {
        if (this.#attempt === attempt) this.#attempt = undefined;
        resolve();
      };
      void this.#try().finally(over);
    });
    this.#attempt = attempt;
  }

  async #try(): Promise<void> {
    let early: Error | undefined;
    let opened: C | undefined;
    try {
      opened = await this.#options.open((error) => {
        early = error;
        if (opened !== undefined) this.#lose(opened, error);
      });
    } catch (error) {
      return this.#retry(error instanceof Error ? error : new Error(String(error)));
    }
    if (!this.#stopped && early === undefined) return this.#install(opened);
    opened.close();
    if (early !== undefined) this.#retry(early);
  }

  #install(connection: C): void {
    this.#connection = connection;
    this.#failures = 0;
    this.#options.up(connection);
  }

  #lose(connection: C, error: Error): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    // Of several sockets one may be left.
    connection.close();
    this.#options.down(error);
    this.#retry(error);
  }

  #retry(error: Error): void {
    if (this.#stopped) return;
    this.#error = error;
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    const pause = longest * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.#connect(), pause);
  }
}
