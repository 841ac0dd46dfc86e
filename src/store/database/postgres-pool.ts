import pg from "pg";
import type { StoreLog } from "./engine.js";
import { databaseTrouble } from "./errors.js";
import { inOrder, type Query } from "./query-order.js";

/**
 * How long we wait for PostgreSQL, longest last. It gives up first and says why; our own limit is
 * for a server that says nothing. Set on every connection: what a role or the server has as its
 * default does not hold for us.
 */
export interface PostgresLimits {
  /** For a lock that somebody else holds. */
  readonly lockMs: number;
  readonly statementMs: number;
  /** For our own next statement inside a transaction: its locks hold up others. */
  readonly idleInTransactionMs: number;
  /** A server that accepts connections and then says nothing must not hold callers for ever. */
  readonly answerMs: number;
  readonly connectMs: number;
  /** Of a whole transaction, where the server knows such a limit (17). */
  readonly transactionMs: number;
}

export const POSTGRES_LIMITS: PostgresLimits = {
  lockMs: 4_000,
  statementMs: 8_000,
  idleInTransactionMs: 10_000,
  answerMs: 10_000,
  connectMs: 5_000,
  transactionMs: 20_000,
};

/**
 * What our statements, and the adapter that reads the answers, take for granted: times come as UTC
 * in ISO form; raw statements name no schema; a policy that hides rows must fail, since what is
 * not there is taken away from the switch; what is acknowledged is on disk.
 */
const MANNERS = {
  TimeZone: "UTC",
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  search_path: "public",
  row_security: "off",
  default_transaction_isolation: "read committed",
};

/** So that the server notices soon, whatever it is doing, that we have gone. */
const watchfulness = {
  client_connection_check_interval: "1000",
  tcp_keepalives_idle: "5",
  tcp_keepalives_interval: "2",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "10000",
};

/** A pool of connections of which none comes back that may still be busy, or inside something. */
export function postgresPool(
  connectionString: string,
  max: number,
  log: StoreLog,
  limits: PostgresLimits = POSTGRES_LIMITS,
): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    max,
    application_name: "patchbay",
    connectionTimeoutMillis: limits.connectMs,
    keepAlive: true,
    query_timeout: limits.answerMs,
    lock_timeout: limits.lockMs,
    statement_timeout: limits.statementMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionMs,
    onConnect: async (client) => {
      await teachManners(client);
      await makeWatchful(client, limits, log);
    },
  });
  // Without a listener an idle connection that PostgreSQL ends would end this process.
  pool.on("error", (error) => log.warn({ err: error }, "lost an idle PostgreSQL connection"));
  discardUnclean(pool);
  return pool;
}

/** A session in which this fails is not used. A stronger `synchronous_commit` than ours is kept. */
async function teachManners(client: pg.ClientBase): Promise<void> {
  const text = `SELECT set_config(name, value, false) FROM json_each_text($1::json) AS m(name, value)
    UNION ALL SELECT set_config('synchronous_commit', 'on', false)
      WHERE current_setting('synchronous_commit') = 'off'`;
  await client.query(text, [JSON.stringify(MANNERS)]);
}

/** What the server does not know, or cannot do on its system, is left out. */
async function makeWatchful(
  client: pg.ClientBase,
  { transactionMs }: PostgresLimits,
  log: StoreLog,
): Promise<void> {
  const wanted = JSON.stringify({ ...watchfulness, transaction_timeout: String(transactionMs) });
  const text = `SELECT set_config(name, value, false)
    FROM json_each_text($1::json) AS wanted(name, value) JOIN pg_settings USING (name)`;
  try {
    await client.query(text, [wanted]);
  } catch (error) {
    log.warn({ err: error }, "PostgreSQL does not take the settings of a connection");
  }
}

/**
 * Ends connections whose query we have stopped waiting for: the server then drops the transaction,
 * and nothing waits behind it. What is given back unfinished, or after trouble, is not used again:
 * a new session may well be better off, as after a change of its role.
 */
function discardUnclean(pool: pg.Pool): void {
  const spent = new WeakSet<pg.ClientBase>();
  pool.on("connect", (client) => {
    watchFailures(client, (error) => {
      if (databaseTrouble(error) === undefined) return;
      spent.add(client);
      if (isGivenUp(error)) end(client);
    });
  });
  pool.on("release", (_error, client) => {
    if (spent.has(client) || client.getTransactionStatus() !== "I") end(client);
  });
}

/** Of pg, when its limit for an answer is over; the query goes on at the server. */
function isGivenUp(error: unknown): boolean {
  return error instanceof Error && error.message === "Query read timeout";
}

/** While a query is under way this cuts the connection, and whatever is waiting in it fails. */
function end(client: pg.ClientBase): void {
  void (client as pg.Client).end().catch(() => undefined);
}

/** Tells of every query that fails, also to those that wait for it. */
function watchFailures(client: pg.ClientBase, tell: (error: unknown) => void): void {
  const query = inOrder(client.query.bind(client) as Query);
  const watched: Query = (...parameters) => {
    const result = query(...parameters);
    if (result instanceof Promise) result.catch(tell);
    return result;
  };
  client.query = watched as typeof client.query;
}
