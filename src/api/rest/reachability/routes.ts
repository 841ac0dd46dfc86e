import type { z } from "zod";
import { type Opening, openingOf } from "../../../domain/reachability/question.js";
import { explainReachability } from "../../../services/reachability/answer.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { presentReachability } from "./mapper.js";
import { protocolNumber, reachabilityBodySchema, reachabilitySchema } from "./schema.js";

const DESCRIPTION =
  "Computed from what is stored, and confirmed by following the packet through the flows that are " +
  "installed. Changes nothing and sends nothing. Without a switch (no-op mode) every interface " +
  "counts as plugged in. `plan` asks what would be if own ends were. Of a peer VPC of another tenant it tells only whether it is reached.";

export const reachabilityRoutes: RouteGroup = (scope, { view, tracing }) => {
  const app = typed(scope);

  app.route({
    ...endpoint("explainReachability", {
      body: reachabilityBodySchema,
      response: { 200: reachabilitySchema },
      description: DESCRIPTION,
    }),
    handler: async (request) => {
      const { from, to, vpcId, plan } = request.body;
      const query = { from, to, vpcId, plan, opening: askedOpening(request.body) };
      const caller = principalOf(request);
      return presentReachability(
        await explainReachability(request.services, { view, tracing }, caller, query),
      );
    },
  });
};

function askedOpening(body: z.output<typeof reachabilityBodySchema>): Opening {
  const { port, icmpType: type, icmpCode: code } = body;
  const opening = openingOf(protocolNumber(body.protocol), { port, type, code });
  if (opening === undefined) throw new Error("the schema lets tcp and udp pass without a port");
  return opening;
}
