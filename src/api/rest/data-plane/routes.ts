import { requirePermission } from "../../../domain/principal.js";
import { aside } from "../../../domain/turn.js";
import { getVpc } from "../../../services/vpcs.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { presentDataPlane, presentReport } from "./mapper.js";
import { dataPlaneSchema, reconcileBodySchema, reconcileReportSchema } from "./schema.js";

export const dataPlaneRoutes: RouteGroup = (scope, { view, reconciling }) => {
  const app = typed(scope);

  app.route({
    ...endpoint("showDataPlane", { response: { 200: dataPlaneSchema } }),
    handler: async (request) => {
      requirePermission(principalOf(request), "data_plane:read");
      return presentDataPlane(view);
    },
  });

  app.route({
    ...endpoint("reconcileDataPlane", {
      body: reconcileBodySchema,
      response: { 200: reconcileReportSchema },
      description: "Reads the flows from the switch itself. With `dryRun` nothing is changed.",
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      requirePermission(caller, "data_plane:reconcile");
      const { dryRun: isComparison = false, vpcId } = request.body ?? {};
      // Whatever the other of the two says: nothing of a dry run may reach the switch.
      const dryRun = isComparison || request.rehearsal !== undefined;
      if (vpcId !== undefined) await getVpc(request.services, caller, vpcId);
      const scopeOfWork = vpcId === undefined ? "all" : new Set([vpcId]);
      const reconcile = () => reconciling.reconcileNow(scopeOfWork, dryRun);
      return presentReport(await aside(caller, reconcile));
    },
  });
};
