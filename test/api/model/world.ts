import { randomBytes } from "node:crypto";
import { createNoopBackend } from "../../../src/backends/noop/noop-backend.js";
import type { Settlements, Waker } from "../../../src/domain/data-plane.js";
import { permissionsOf, type Role } from "../../../src/domain/permissions.js";
import type { Principal } from "../../../src/domain/principal.js";
import { DEFAULT_EVENT_RETENTION } from "../../../src/domain/retention.js";
import { createReconciler, type Reconciler } from "../../../src/reconcile/reconciler.js";
import type { ServiceContext } from "../../../src/services/context.js";
import { Credentials } from "../../../src/services/credentials/credentials.js";
import { KeyUses } from "../../../src/services/credentials/key-uses.js";
import { OperatorToken } from "../../../src/services/credentials/operator-token.js";
import { SecretBox } from "../../../src/services/secrets.js";
import { createTenant } from "../../../src/services/tenants.js";
import { type Database, openDatabase } from "../../../src/store/database/open.js";
import type { DatabaseEngine, FreshDatabase } from "../../support/databases.js";
import { TENANTS, type Tenant } from "./operations.js";
import { EXPIRY_MS, QUOTAS } from "./state.js";

export const START = Date.UTC(2030, 0, 1);

/** The services on a real database, with a clock that stands still until it is set. */
export interface World {
  readonly context: ServiceContext;
  readonly clock: { now: number };
  readonly reconciler: Reconciler;
  readonly principals: Readonly<Record<Tenant, Principal>>;
}

const silent = { info() {}, warn() {}, error() {} };

/** One database for many runs, each of which finds it empty. */
export class WorldFactory {
  readonly #fresh: FreshDatabase;
  readonly database: Database;
  #closing: Promise<void> | undefined;

  private constructor(fresh: FreshDatabase, database: Database) {
    this.#fresh = fresh;
    this.database = database;
  }

  static async open(engine: DatabaseEngine): Promise<WorldFactory> {
    const fresh = await engine.fresh();
    return new WorldFactory(fresh, await openDatabase({ ...fresh, log: silent }));
  }

  get databaseUrl(): string | undefined {
    return this.#fresh.databaseUrl;
  }

  /**
   * An empty world with both tenants. "manual": the switch is looked at only when a test says so;
   * "awake": the reconciler runs beside the calls.
   */
  async make(mode: "manual" | "awake"): Promise<World> {
    await this.#clear();
    const clock = { now: START };
    const time = () => new Date(clock.now);
    const db = this.database.client;
    const backend = createNoopBackend({ installationId: "model", mark: 1 });
    const reconciler = createReconciler({
      db,
      backend,
      log: silent,
      clock: time,
      resyncSeconds: 3600,
    });
    if (mode === "awake") await reconciler.start();
    const asleep: Waker & Settlements = { wake() {}, closed: true, next: async () => {} };
    const parts = mode === "awake" ? reconciler : asleep;
    const secrets = new SecretBox(randomBytes(32));
    const context: ServiceContext = {
      db,
      clock: time,
      waker: parts,
      settlements: parts,
      secrets,
      credentials: new Credentials(db, secrets),
      keyUses: new KeyUses(),
      operatorToken: new OperatorToken("unused"),
      peeringExpirySeconds: EXPIRY_MS / 1000,
      quotas: QUOTAS,
      eventRetention: DEFAULT_EVENT_RETENTION,
    };
    return { context, clock, reconciler, principals: await makeTenants(context) };
  }

  async #clear(): Promise<void> {
    const { client } = this.database;
    await client.$transaction([
      client.networkInterface.deleteMany(),
      client.subnet.deleteMany(),
      client.vpc.deleteMany(),
      client.vpcPeering.deleteMany(),
      client.tenant.deleteMany(),
      client.event.deleteMany(),
      client.generation.updateMany({ data: { value: 0 } }),
    ]);
  }

  /** After the last world's reconciler was stopped. */
  close(): Promise<void> {
    this.#closing ??= this.database.close().then(() => this.#fresh.cleanup());
    return this.#closing;
  }
}

async function makeTenants(context: ServiceContext): Promise<Record<Tenant, Principal>> {
  const operator = principal(null, "operator");
  const make = async (name: Tenant) => {
    const { id } = await createTenant(context, operator, { name });
    return principal(id, "admin");
  };
  const [north, south] = TENANTS;
  return { north: await make(north), south: await make(south) };
}

function principal(tenantId: string | null, role: Role): Principal {
  return { tenantId, roles: [role], permissions: new Set(permissionsOf([role])) };
}
