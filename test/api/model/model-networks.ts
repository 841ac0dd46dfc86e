import { anyOverlap, isInside, overlap } from "./blocks.js";
import { placeRoutes } from "./model-contests.js";
import { endPending } from "./model-peerings.js";
import type { Handlers, Outcome } from "./operations.js";
import {
  isOpen,
  liveOf,
  type ModelPeering,
  type ModelVpc,
  newLabel,
  QUOTAS,
  record,
  refuseIf,
  requireOwn,
  type State,
  touches,
} from "./state.js";

type NetworkKind = "create-vpc" | "delete-vpc" | "add-block" | "remove-block" | SubnetKind;
type SubnetKind = "create-subnet" | "delete-subnet";

const OK: Outcome = { code: "ok" };

/** What VPCs, their blocks and their subnets do. */
export const networkHandlers: Pick<Handlers<State, Outcome>, NetworkKind> = {
  "create-vpc": (state, { as, block }) => {
    const own = state.vpcs.filter(({ tenant }) => tenant === as);
    refuseIf(own.length >= QUOTAS.vpcsPerTenant, "VpcLimitExceeded");
    const vpc = { id: newLabel(state, "vpc"), tenant: as, blocks: [block] };
    const main = { id: newLabel(state, "rtb"), vpc: vpc.id, main: true, routes: [], withheld: [] };
    state.vpcs.push(vpc);
    state.tables.push(main);
    state.known.vpcs.push({ id: vpc.id, tenant: as });
    state.known.tables.push({ id: main.id, tenant: as, vpc: vpc.id });
    record(state, as, "vpc", vpc.id, "create");
    return OK;
  },

  "delete-vpc": (state, { as, vpc: id }) => {
    requireOwn(state, as, id);
    const hasSubnets = state.subnets.some(({ vpc }) => vpc === id);
    refuseIf(hasSubnets || liveOf(state, id).length > 0, "DependencyViolation");
    withdrawRequestsOf(state, id);
    failRequestsTo(state, id);
    state.vpcs = state.vpcs.filter((vpc) => vpc.id !== id);
    state.tables = state.tables.filter(({ vpc }) => vpc !== id);
    record(state, as, "vpc", id, "delete");
    return OK;
  },

  "add-block": (state, { as, vpc: id, block }) => {
    const vpc = requireOwn(state, as, id);
    refuseIf(vpc.blocks.length >= QUOTAS.blocksPerVpc, "CidrBlockLimitExceeded");
    const peers = liveOf(state, id).map((peering) => otherSide(peering, id));
    const others = [vpc.blocks, ...peers.map(({ blocks }) => blocks)];
    refuseIf(anyOverlap([block], others.flat()), "OverlappingCidr");
    const routes = state.tables.filter((table) => table.vpc === id).flatMap((t) => t.routes);
    refuseIf(
      routes.some((route) => isInside(route.destination, block)),
      "RouteAlreadyExists",
    );
    setBlocks(state, vpc, [...vpc.blocks, block]);
    record(state, as, "vpc", id, "update");
    for (const peering of liveOf(state, id)) followBlock(state, peering, id, block);
    return OK;
  },

  "remove-block": (state, { as, vpc: id, block }) => {
    const vpc = requireOwn(state, as, id);
    refuseIf(!vpc.blocks.includes(block), "NotFound");
    refuseIf(vpc.blocks[0] === block, "InvalidParameterValue");
    const subnets = state.subnets.filter((subnet) => subnet.vpc === id);
    refuseIf(
      subnets.some((subnet) => isInside(subnet.block, block)),
      "DependencyViolation",
    );
    const peerings = new Set(liveOf(state, id).map((peering) => peering.id));
    for (const table of state.tables) {
      const led = ({ destination, peering }: { destination: string; peering: string }) =>
        destination === block && peerings.has(peering);
      table.routes = table.routes.filter((route) => route.origin !== "peering" || !led(route));
      table.withheld = table.withheld.filter((route) => !led(route));
    }
    const left = vpc.blocks.filter((other) => other !== block);
    setBlocks(state, vpc, left);
    record(state, as, "vpc", id, "update");
    return OK;
  },

  "create-subnet": (state, { as, vpc: id, block }) => {
    const vpc = requireOwn(state, as, id);
    refuseIf(!vpc.blocks.some((outer) => isInside(block, outer)), "InvalidSubnet.Range");
    const siblings = state.subnets.filter((subnet) => subnet.vpc === id);
    refuseIf(
      siblings.some((sibling) => overlap(sibling.block, block)),
      "InvalidSubnet.Conflict",
    );
    const subnet = { id: newLabel(state, "subnet"), vpc: id, block, table: null };
    state.subnets.push(subnet);
    state.known.subnets.push({ id: subnet.id, tenant: as, vpc: id });
    record(state, as, "subnet", subnet.id, "create");
    return OK;
  },

  "delete-subnet": (state, { as, subnet: id }) => {
    const subnet = state.subnets.find((candidate) => candidate.id === id);
    const owner = state.vpcs.find((vpc) => vpc.id === subnet?.vpc)?.tenant;
    refuseIf(owner !== as, "InvalidSubnetID.NotFound");
    state.subnets = state.subnets.filter((other) => other.id !== id);
    record(state, as, "subnet", id, "delete");
    return OK;
  },
};

/** Pending requests do not keep a VPC: those it sent are withdrawn, those it received fail. */
function withdrawRequestsOf(state: State, vpcId: string): void {
  for (const peering of state.peerings) {
    const { requester } = peering;
    if (peering.state !== "pending-acceptance" || requester.vpc !== vpcId) continue;
    endPending(state, peering, "delete", "deleted", requester.tenant);
  }
}

/** Doomed ones never concerned the VPC. */
function failRequestsTo(state: State, vpcId: string): void {
  for (const peering of state.peerings) {
    if (peering.state !== "pending-acceptance" || peering.accepter.vpc !== vpcId) continue;
    if (!peering.doomed) endPending(state, peering, "fail", "failed", null);
  }
}

function otherSide(peering: ModelPeering, vpcId: string) {
  return peering.requester.vpc === vpcId ? peering.accepter : peering.requester;
}

/** The peer whose routes follow the peering gets one to the new block, or is told that it does not. */
function followBlock(state: State, peering: ModelPeering, vpcId: string, block: string): void {
  const peer = otherSide(peering, vpcId);
  if (!peer.autoRoutes || peering.state === "deleting") return;
  placeRoutes(state, peering, peer, [block], true);
}

/** Open peerings show the blocks of their VPCs as they are; a doomed one knows nothing of its accepter. */
function setBlocks(state: State, vpc: ModelVpc, blocks: string[]): void {
  vpc.blocks = blocks;
  for (const peering of state.peerings) {
    if (!isOpen(peering) || !touches(peering, vpc.id)) continue;
    if (peering.requester.vpc === vpc.id) peering.requester.blocks = blocks;
    else if (!peering.doomed) peering.accepter.blocks = blocks;
  }
}
