import { accessKeyRoutes } from "./access-keys/routes.js";
import { dataPlaneRoutes } from "./data-plane/routes.js";
import type { RouteGroup } from "./endpoint.js";
import { eventRoutes } from "./events/routes.js";
import { networkInterfaceRoutes } from "./network-interfaces/routes.js";
import { reachabilityRoutes } from "./reachability/routes.js";
import { routeTableRoutes } from "./route-tables/routes.js";
import { securityGroupRoutes } from "./security-groups/routes.js";
import { subnetRoutes } from "./subnets/routes.js";
import { tenantRoutes } from "./tenants/routes.js";
import { vpcPeeringRoutes } from "./vpc-peerings/routes.js";
import { vpcRoutes } from "./vpcs/routes.js";

/** Everything under /v1. */
export const restRoutes: readonly RouteGroup[] = [
  tenantRoutes,
  accessKeyRoutes,
  vpcRoutes,
  subnetRoutes,
  networkInterfaceRoutes,
  routeTableRoutes,
  securityGroupRoutes,
  vpcPeeringRoutes,
  reachabilityRoutes,
  eventRoutes,
  dataPlaneRoutes,
];
