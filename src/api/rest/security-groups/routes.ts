import type { PageRequest, SecurityGroup } from "../../../domain/resources.js";
import {
  addSecurityGroupRule,
  getSecurityGroupRule,
  removeSecurityGroupRule,
} from "../../../services/security-group-rules.js";
import {
  createSecurityGroup,
  deleteSecurityGroup,
  getSecurityGroup,
  listSecurityGroups,
  updateSecurityGroup,
} from "../../../services/security-groups.js";
import { principalOf } from "../../plugins/authentication.js";
import { endpoint, type RouteGroup, typed } from "../endpoint.js";
import { noContent, pathId } from "../fields.js";
import { answerPage, pageOf, TAG_FILTERS, tagFilters } from "../query.js";
import { presentPlacedRule, presentSecurityGroup, ruleInput } from "./mapper.js";
import {
  createSecurityGroupRuleSchema,
  createSecurityGroupSchema,
  placedRuleSchema,
  ruleParams,
  securityGroupListSchema,
  securityGroupSchema,
  updateSecurityGroupSchema,
} from "./schema.js";

const params = pathId("securityGroup");

export const securityGroupRoutes: RouteGroup = (scope, deps) => {
  groupRoutes(scope, deps);
  ruleRoutes(scope, deps);
};

const groupRoutes: RouteGroup = (scope, { view, cursors }) => {
  const app = typed(scope);
  const present = (group: SecurityGroup) => presentSecurityGroup(group, view);

  app.route({
    ...endpoint("createSecurityGroup", {
      body: createSecurityGroupSchema,
      response: { 201: securityGroupSchema },
      description:
        "A group beside the default one, which every VPC has from the start. It lets everything out and nothing in until rules are added. Answers to what was let through pass by themselves.",
    }),
    handler: async (request, reply) => {
      const group = await createSecurityGroup(request.services, principalOf(request), request.body);
      return reply.code(201).send(present(group));
    },
  });

  app.route({
    ...endpoint("listSecurityGroups", {
      querystring: securityGroupListSchema,
      response: { 200: pageOf(securityGroupSchema) },
      description: TAG_FILTERS,
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const { vpcId, name } = request.query;
      const filter = { vpcId, name, tags: tagFilters(request.query) };
      const read = (page: PageRequest) =>
        listSecurityGroups(request.services, caller, filter, page);
      return answerPage(cursors, "security-groups", request, read, present);
    },
  });

  app.route({
    ...endpoint("getSecurityGroup", { params, response: { 200: securityGroupSchema } }),
    handler: async (request) =>
      present(await getSecurityGroup(request.services, principalOf(request), request.params.id)),
  });

  app.route({
    ...endpoint("updateSecurityGroup", {
      params,
      body: updateSecurityGroupSchema,
      response: { 200: securityGroupSchema },
      description: "As in EC2 its name is for good.",
    }),
    handler: async (request) => {
      const caller = principalOf(request);
      const patch = request.body ?? {};
      return present(await updateSecurityGroup(request.services, caller, request.params.id, patch));
    },
  });

  app.route({
    ...endpoint("deleteSecurityGroup", {
      params,
      response: { 204: noContent },
      description:
        "Refused while interfaces are in it or rules of the tenant's other groups name it, and for the default group. Rules of another tenant that name it become stale.",
    }),
    handler: async (request, reply) => {
      await deleteSecurityGroup(request.services, principalOf(request), request.params.id);
      return reply.code(204).send();
    },
  });
};

const ruleRoutes: RouteGroup = (scope, { view }) => {
  const app = typed(scope);

  app.route({
    ...endpoint("createSecurityGroupRule", {
      params,
      body: createSecurityGroupRuleSchema,
      response: { 201: placedRuleSchema },
      description:
        "The other end is a block, or a group: one of the same VPC, or one of a VPC with an active peering. When that peering ends the rule is stale, and admits nobody until the two VPCs are peered again.",
    }),
    handler: async (request, reply) => {
      const { id } = request.params;
      const input = ruleInput(request.body);
      const rule = await addSecurityGroupRule(request.services, principalOf(request), id, input);
      return reply.code(201).send(presentPlacedRule(rule, view));
    },
  });

  app.route({
    ...endpoint("getSecurityGroupRule", {
      params: ruleParams,
      response: { 200: placedRuleSchema },
    }),
    handler: async (request) => {
      const { id, ruleId } = request.params;
      const rule = await getSecurityGroupRule(request.services, principalOf(request), id, ruleId);
      return presentPlacedRule(rule, view);
    },
  });

  app.route({
    ...endpoint("deleteSecurityGroupRule", {
      params: ruleParams,
      response: { 204: noContent },
    }),
    handler: async (request, reply) => {
      const { id, ruleId } = request.params;
      await removeSecurityGroupRule(request.services, principalOf(request), id, ruleId);
      return reply.code(204).send();
    },
  });
};
