import type { PGlite, Transaction as PGliteTransaction, QueryOptions } from "@electric-sql/pglite";
import { PrismaPGlite } from "pglite-prisma-adapter";

type AdapterFactory = Pick<PrismaPGlite, "provider" | "adapterName" | "connect">;
type Adapter = Awaited<ReturnType<PrismaPGlite["connect"]>>;
type AdapterTransaction = Awaited<ReturnType<Adapter["startTransaction"]>>;

/** The adapter keeps the transaction of PGlite that it stands for in this field. */
interface Wrapped {
  readonly client: PGliteTransaction;
}

/** What a change fails with, when one of these throws: it is not made, or nobody is told that it was. */
export interface WriteChecks {
  before(): void;
  after(): void;
}

type Outcomes = WeakMap<PGliteTransaction, Promise<unknown>>;

/**
 * The Prisma adapter for PGlite, with commits that can fail: as published (0.7.2) it swallows the
 * error of COMMIT (a deferred constraint, a full disk) and reports success.
 */
export function pgliteAdapter(database: PGlite, writes: WriteChecks): AdapterFactory {
  const outcomes: Outcomes = new WeakMap();
  const factory = new PrismaPGlite(clientOf(database, outcomes));
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => {
      const adapter = await factory.connect();
      const start = adapter.startTransaction.bind(adapter);
      adapter.startTransaction = async (isolationLevel) => {
        writes.before();
        return withHonestCommit(await start(isolationLevel), outcomes, writes);
      };
      adapter.queryRaw = checked(adapter.queryRaw.bind(adapter), writes);
      adapter.executeRaw = checked(adapter.executeRaw.bind(adapter), writes);
      return adapter;
    },
  };
}

/** The same database; the result of each transaction is kept under PGlite's object for it. */
function clientOf(database: PGlite, outcomes: Outcomes): PGlite {
  const query = withSharedParsers(database, database.query.bind(database));
  const transaction: PGlite["transaction"] = (callback) => {
    const outcome = database.transaction((inner) => {
      outcomes.set(inner, outcome);
      inner.query = withSharedParsers(database, inner.query);
      return callback(inner);
    });
    return outcome;
  };
  return new Proxy(database, {
    get(target, property) {
      if (property === "transaction") return transaction;
      if (property === "query") return query;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

type Query = PGliteTransaction["query"];

/**
 * Makes the parsers that the adapter gives with every query the database's own, once. PGlite would
 * copy its hundreds of parsers for each query that comes with some: a sixth of all that it computes.
 */
function withSharedParsers(database: PGlite, query: Query): Query {
  return (text, parameters, { parsers, ...options }: QueryOptions = {}) => {
    for (const [type, parse] of Object.entries(parsers ?? {})) {
      if (database.parsers[Number(type)] === parse) break;
      database.parsers[Number(type)] = parse;
    }
    return query(text, parameters, options);
  };
}

/** Of statements outside a transaction, those that may change something. */
function checked<Statement extends { readonly sql: string }, Result>(
  run: (statement: Statement) => Promise<Result>,
  writes: WriteChecks,
): (statement: Statement) => Promise<Result> {
  return async (statement) => {
    if (/^\s*SELECT\b/i.test(statement.sql)) return run(statement);
    writes.before();
    const result = await run(statement);
    writes.after();
    return result;
  };
}

function withHonestCommit(
  transaction: AdapterTransaction,
  outcomes: Outcomes,
  writes: WriteChecks,
): AdapterTransaction {
  const commit = transaction.commit.bind(transaction);
  const { client } = transaction as unknown as Wrapped;
  transaction.commit = async () => {
    await commit();
    await outcomes.get(client);
    writes.after();
  };
  return transaction;
}
