import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { BackendKind } from "../../../domain/data-plane.js";
import type { DatabaseHealth } from "../../../services/health.js";
import { sendProblem } from "../../plugins/problem-documents.js";
import type { WriteRefusal } from "../../plugins/write-refusal.js";
import { type Check, checkSchema } from "../../problems/problem.js";
import { endpoint, typed } from "../endpoint.js";

export interface HealthDeps {
  /** Answers in any case, and soon. */
  readonly databaseHealth: () => Promise<DatabaseHealth>;
  /** Why the switch cannot be worked with; undefined when it can, or when there is none. */
  readonly switchError: () => string | undefined;
  readonly backend: BackendKind;
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
        "503 unless the database can be read and written, both of which are tried, and while calls that change something are refused. A switch that is away is shown, and waited for.",
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
  const stopping = deps.isStopping() ? "shutting down" : undefined;
  const { reads, writes } = await deps.databaseHealth();
  return [
    checkOf("process", stopping),
    checkOf("database reads", reads),
    checkOf("database writes", writes),
    switchCheck(deps),
    checkOf("writes", deps.writeRefusal()?.message),
  ];
}

/** Nothing is wrong with a switch that nobody wants, and nothing is programmed either. */
function switchCheck({ backend, switchError }: HealthDeps): Check {
  if (backend === "noop") return { name: "switch", ok: true, message: NO_SWITCH };
  return checkOf("switch", switchError());
}

const NO_SWITCH = "none: in no-op mode nothing is programmed and no packet passes";

function checkOf(name: string, trouble: string | undefined): Check {
  return trouble === undefined ? { name, ok: true } : { name, ok: false, message: trouble };
}
