import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { sendProblem } from "../../plugins/problem-documents.js";
import type { WriteRefusal } from "../../plugins/write-refusal.js";
import { type Check, checkSchema } from "../../problems/problem.js";
import { endpoint, typed } from "../endpoint.js";

/** How long the database may take to answer before the daemon counts as not ready. */
const DATABASE_LIMIT_MS = 2000;

export interface HealthDeps {
  readonly checkDatabase: () => Promise<void>;
  /** Why the switch cannot be worked with; undefined when it can, or with the no-op backend. */
  readonly switchError: () => string | undefined;
  readonly writeRefusal: WriteRefusal;
  readonly isStopping: () => boolean;
}

const readySchema = z.object({ status: z.literal("ready"), checks: z.array(checkSchema) });
const aliveSchema = z.object({ status: z.literal("alive") });

export function healthRoutes(scope: FastifyInstance, deps: HealthDeps): void {
  const app = typed(scope);

  app.route({
    ...endpoint("livez", { response: { 200: aliveSchema } }),
    handler: async () => ({ status: "alive" as const }),
  });

  app.route({
    ...endpoint("readyz", {
      response: { 200: readySchema },
      description:
        "503 while the database does not answer, or calls that change something are refused. A switch that is away is shown, and waited for.",
    }),
    handler: async (request, reply) => {
      const checks = await runChecks(deps);
      const failed = checks.filter((check) => !check.ok && check.name !== "switch");
      if (failed.length === 0) return { status: "ready" as const, checks };
      const detail = failed.map(({ name, message }) => `${name}: ${message}`).join("; ");
      return sendProblem(request, reply, { code: "ServiceUnavailable", detail, checks });
    },
  });
}

async function runChecks(deps: HealthDeps): Promise<Check[]> {
  const process: Check = deps.isStopping()
    ? { name: "process", ok: false, message: "shutting down" }
    : { name: "process", ok: true };
  const message = deps.switchError();
  const dataPlane: Check =
    message === undefined ? { name: "switch", ok: true } : { name: "switch", ok: false, message };
  return [process, await databaseCheck(deps), dataPlane, writesCheck(deps)];
}

function writesCheck({ writeRefusal }: HealthDeps): Check {
  const message = writeRefusal()?.message;
  return message === undefined
    ? { name: "writes", ok: true }
    : { name: "writes", ok: false, message };
}

async function databaseCheck({ checkDatabase }: HealthDeps): Promise<Check> {
  const failed: Check = { name: "database", ok: false, message: "does not answer" };
  const answer = checkDatabase().then<Check, Check>(
    () => ({ name: "database", ok: true }),
    () => failed,
  );
  return Promise.race([answer, afterLimit(failed)]);
}

function afterLimit(check: Check): Promise<Check> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(check), DATABASE_LIMIT_MS).unref();
  });
}
