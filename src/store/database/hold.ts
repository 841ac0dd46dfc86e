import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";

const CONNECT_LIMIT_MS = 5000;
const PROBE_EVERY_MS = 2000;
const ANSWER_LIMIT_MS = 5000;
const RETRY_MS = 500;
/** In which the server finds out that the host of a holder is gone; see `KEEPALIVE`. */
const PATIENCE_MS = 20_000;
/** `application_name` holds no more. */
const NAME_LIMIT = 63;

/** Of our own choice; advisory locks are each database's own. */
const LOCK = "1885434724, 1";

/** Sets what an answer of the server's kernel takes at most; a unix socket knows no keepalives. */
const KEEPALIVE = `SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2;
  SET tcp_keepalives_count = 3; SET idle_session_timeout = 0`;

const TRY = `SELECT pg_try_advisory_lock(${LOCK}) AS "isHeld"`;

const WHO = `SELECT a.pid, a.application_name AS name, host(a.client_addr) AS address
  FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'advisory' AND l.granted AND (l.classid, l.objid) = (${LOCK})
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Another daemon works on this database. */
export class DatabaseHeldError extends Error {
  override readonly name = "DatabaseHeldError";

  constructor(readonly holder: string) {
    super(
      `another daemon works on this database (${holder}): stop it, or give this one a database of its own`,
    );
  }
}

export type HoldState =
  | { readonly kind: "held" }
  /** The connection is lost, and who has the database now is not known. */
  | { readonly kind: "lost"; readonly cause?: unknown }
  | { readonly kind: "another"; readonly holder: string };

interface HoldOptions {
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
  readonly signal: AbortSignal;
}

/**
 * Lets one daemon work on a PostgreSQL database: a session's advisory lock, on a connection of its
 * own, for as long as the daemon lives. The server frees it with the connection.
 */
export class DatabaseHold {
  state: HoldState = { kind: "lost" };
  /** Called when it is held again after it was not: others may have written meanwhile. */
  onRegained: () => Promise<void> = async () => undefined;
  /** Called when another daemon has it, before that is told. */
  onYielded: () => void = () => undefined;
  readonly #options: HoldOptions;
  readonly #stopping = new AbortController();
  #client: pg.Client | undefined;
  #keeping: Promise<void> | undefined;
  #probedAt = 0;
  /** The server's process for the session that had the lock last. */
  #heldBy: number | undefined;

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  /**
   * Takes the database, or waits for a holder that may be gone without the server's having noticed.
   * @throws DatabaseHeldError, or what connecting to PostgreSQL rejects with
   */
  async take(): Promise<void> {
    if (this.state.kind === "held") return;
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const state = await this.#attempt();
      if (state.kind === "held") break;
      const holder = state.kind === "another" ? state.holder : "it has just ended";
      if (isAliveHere(holder) || performance.now() > deadline) throw new DatabaseHeldError(holder);
      this.#options.log.warn({ holder }, "another daemon holds the database; trying again");
      await delay(RETRY_MS, undefined, { signal: this.#options.signal });
    }
    this.#keeping ??= this.#keep();
  }

  async release(): Promise<void> {
    this.#stopping.abort();
    await this.#keeping;
    await this.#disconnect();
  }

  async #attempt(): Promise<HoldState> {
    try {
      this.#client ??= await this.#connect();
      const [row] = (await this.#client.query<{ isHeld: boolean }>(TRY)).rows;
      if (row?.isHeld) {
        this.#heldBy = await ownProcess(this.#client);
        this.state = { kind: "held" };
        return this.state;
      }
      const [who] = (await this.#client.query<Holder>(WHO)).rows;
      if (who !== undefined) this.state = await this.#stateBeside(this.#client, who);
      return this.state;
    } catch (error) {
      await this.#disconnect();
      throw error;
    }
  }

  /** A session of our own that the server has not found to be gone is nobody else. */
  async #stateBeside(client: pg.Client, who: Holder): Promise<HoldState> {
    const isOurs = who.pid === this.#heldBy && who.name === holderName(this.#options.dataDir);
    if (!isOurs) return { kind: "another", holder: described(who) };
    await client.query("SELECT pg_terminate_backend($1)", [who.pid]);
    return { kind: "lost", cause: this.#cause() };
  }

  #cause(): unknown {
    return this.state.kind === "lost" ? this.state.cause : undefined;
  }

  async #connect(): Promise<pg.Client> {
    const { databaseUrl: connectionString, dataDir } = this.#options;
    const client = new pg.Client({
      connectionString,
      application_name: holderName(dataDir),
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      query_timeout: ANSWER_LIMIT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: ANSWER_LIMIT_MS,
    });
    // Told by the next question, too; without a listener it would end this process.
    client.on("error", () => this.#lose(client));
    client.on("end", () => this.#lose(client));
    await client.connect();
    await client.query(KEEPALIVE);
    return client;
  }

  #lose(client: pg.Client): void {
    if (this.#client === client && this.state.kind === "held") this.state = { kind: "lost" };
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (this.state.kind === "held") this.state = { kind: "lost" };
    await client?.end().catch(() => undefined);
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const before = this.state.kind;
    try {
      if (before === "held") await this.#probe();
      else await this.#regain();
    } catch (error) {
      await this.#disconnect();
      this.state = { kind: "lost", cause: error };
      if (before === "held") this.#options.log.warn({ err: error }, "lost hold of the database");
    }
  }

  async #probe(): Promise<void> {
    if (performance.now() - this.#probedAt < PROBE_EVERY_MS) return;
    await this.#client?.query("SELECT 1");
    this.#probedAt = performance.now();
  }

  async #regain(): Promise<void> {
    const { log } = this.#options;
    const before = this.state.kind;
    const state = await this.#attempt();
    if (state.kind === "another" && before !== "another") {
      this.onYielded();
      log.warn({ holder: state.holder }, "another daemon has taken the database; waiting for it");
    }
    if (state.kind !== "held") return;
    await this.onRegained();
    log.info({}, "this daemon holds the database again");
  }
}

function holderName(dataDir: string): string {
  const name = `patchbay ${process.pid}@${hostname()} ${dataDir}`;
  return Buffer.from(name).subarray(0, NAME_LIMIT).toString("utf8");
}

interface Holder {
  readonly pid: number;
  readonly name: string;
  readonly address: string | null;
}

async function ownProcess(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]?.pid;
}

function described({ name, address }: Holder): string {
  return address === null ? name : `${name}, from ${address}`;
}

/** Whether a holder is a process of this host that lives: then waiting for its end is of no use. */
function isAliveHere(holder: string): boolean {
  const [, pid, host] = /^patchbay (\d+)@(\S+)/.exec(holder) ?? [];
  // Our own number is that of a former life: a container's process has the same one every time.
  if (host !== hostname() || Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
