import fc from "fast-check";
import { DESTINATIONS, SUBNET_BLOCKS, VPC_BLOCKS } from "./blocks.js";
import type { Addressee, Operation, Tenant } from "./operations.js";
import { TENANTS } from "./operations.js";

interface Owned {
  readonly id: string;
  readonly tenant: Tenant;
  /** Whether it is still there. */
  readonly alive: boolean;
}

/** Every resource that there is or ever was, the latest last. */
export interface Universe {
  readonly vpcs: ReadonlyArray<Owned & { readonly blocks: readonly string[] }>;
  readonly tables: ReadonlyArray<
    Owned & { readonly vpc: string; readonly destinations: readonly string[] }
  >;
  readonly subnets: ReadonlyArray<Owned & { readonly vpc: string }>;
  readonly peerings: readonly KnownPeering[];
}

export interface KnownPeering {
  readonly id: string;
  readonly state: string;
  readonly requester: { readonly tenant: Tenant; readonly vpc: string };
  readonly accepter: { readonly tenant: Addressee; readonly vpc: string };
}

/** An operation before it is known what there is to operate on; undefined when there is nothing. */
export type Draw = (universe: Universe) => Operation | undefined;

/** Whether to act as somebody who has no business there. */
const stranger = fc.nat(19).map((n) => n === 0);
const tenant = fc.constantFrom(...TENANTS);
const vpcBlock = fc.constantFrom(...VPC_BLOCKS);
const autoRoutes = fc.constantFrom(undefined, true, true, false);

/** Mostly one that is wanted; the odd one is not. */
const pick = fc.record({ any: fc.nat(9).map((n) => n === 0), nth: fc.nat(1000) });
type Pick = typeof pick extends fc.Arbitrary<infer P> ? P : never;

function choose<T>(all: readonly T[], { any, nth }: Pick, isWanted: (item: T) => boolean) {
  const wanted = all.filter(isWanted);
  const from = any || wanted.length === 0 ? all : wanted;
  return from[nth % Math.max(1, from.length)];
}

const isAlive = ({ alive }: Owned) => alive;

function by(owner: Tenant, isStranger: boolean): Tenant {
  if (!isStranger) return owner;
  return owner === "north" ? "south" : "north";
}

const createVpc = fc.record({ as: tenant, block: vpcBlock }).map(
  (fields): Draw =>
    () => ({ kind: "create-vpc", ...fields }),
);

const onVpc = fc
  .record({
    kind: fc.constantFrom(
      "delete-vpc",
      "add-block",
      "add-block",
      "add-block",
      "add-block",
      "remove-block",
      "create-table",
    ),
    choice: pick,
    stranger,
    block: vpcBlock,
  })
  .map(
    ({ kind, choice, block, ...draw }): Draw =>
      ({ vpcs }) => {
        const vpc = choose(vpcs, choice, isAlive);
        if (vpc === undefined) return undefined;
        const as = by(vpc.tenant, draw.stranger);
        const secondary = choose(vpc.blocks, choice, (other) => other !== vpc.blocks[0]);
        const known = kind === "remove-block" ? secondary : undefined;
        return { kind, as, vpc: vpc.id, block: known ?? block };
      },
  );

const createSubnet = fc
  .record({ choice: pick, stranger, block: fc.constantFrom(...SUBNET_BLOCKS) })
  .map(
    ({ choice, block, ...draw }): Draw =>
      ({ vpcs }) => {
        const vpc = choose(vpcs, choice, isAlive);
        return (
          vpc && { kind: "create-subnet", as: by(vpc.tenant, draw.stranger), vpc: vpc.id, block }
        );
      },
  );

const deleteSubnet = fc.record({ choice: pick, stranger }).map(
  (draw): Draw =>
    ({ subnets }) => {
      const subnet = choose(subnets, draw.choice, isAlive);
      return (
        subnet && { kind: "delete-subnet", as: by(subnet.tenant, draw.stranger), subnet: subnet.id }
      );
    },
);

const onTable = fc
  .record({
    kind: fc.constantFrom(
      "create-route",
      "create-route",
      "create-route",
      "replace-route",
      "delete-route",
      "delete-table",
    ),
    choices: fc.tuple(pick, pick),
    stranger,
    destination: fc.constantFrom(...DESTINATIONS),
  })
  .map(
    ({ kind, choices, destination, ...draw }): Draw =>
      ({ tables, peerings }) => {
        const table = choose(tables, choices[0], isAlive);
        const peering = choose(
          peerings,
          choices[1],
          ({ state, requester, accepter }) =>
            OPEN.includes(state) && [requester.vpc, accepter.vpc].includes(table?.vpc ?? ""),
        );
        if (table === undefined || peering === undefined) return undefined;
        const as = by(table.tenant, draw.stranger);
        const present = choose(table.destinations, choices[1], () => true);
        const known = kind === "create-route" ? undefined : present;
        const target = { destination: known ?? destination, peering: peering.id };
        return { kind, as, table: table.id, ...target };
      },
  );

const associate = fc.record({ choices: fc.tuple(pick, pick), stranger }).map(
  ({ choices, ...draw }): Draw =>
    ({ tables, subnets }) => {
      const subnet = choose(subnets, choices[0], isAlive);
      const ofItsVpc = (table: Owned & { vpc: string }) => table.alive && table.vpc === subnet?.vpc;
      const table = choose(tables, choices[1], ofItsVpc);
      if (table === undefined || subnet === undefined) return undefined;
      const as = by(table.tenant, draw.stranger);
      return { kind: "associate", as, table: table.id, subnet: subnet.id };
    },
);

const request = fc
  .record({ choices: fc.tuple(pick, pick), stranger, addressing: fc.nat(11), autoRoutes })
  .map(
    ({ choices, addressing, ...draw }): Draw =>
      ({ vpcs }) => {
        const from = choose(vpcs, choices[0], isAlive);
        const to = choose(vpcs, choices[1], (vpc) => vpc.alive && vpc !== from);
        if (from === undefined || to === undefined) return undefined;
        const as = by(from.tenant, draw.stranger);
        const addressee = addressOf(to.tenant, addressing);
        const ends = { from: from.id, to: to.id, addressee };
        return { kind: "request", as, ...ends, autoRoutes: draw.autoRoutes };
      },
  );

/** Mostly right; sometimes left out, the other tenant, or one that is not there. */
function addressOf(owner: Tenant, addressing: number): Addressee {
  if (addressing === 0) return "nobody";
  if (addressing === 1) return by(owner, true);
  return addressing === 2 ? undefined : owner;
}

const OPEN = ["pending-acceptance", "provisioning", "active", "deleting"];
const WANTED_STATES = {
  accept: ["pending-acceptance"],
  reject: ["pending-acceptance"],
  "delete-peering": OPEN,
} as const;

const onPeering = fc
  .record({
    kind: fc.constantFrom("accept", "accept", "accept", "accept", "reject", "delete-peering"),
    choice: pick,
    stranger,
    autoRoutes,
  })
  .map(
    ({ kind, choice, ...draw }): Draw =>
      ({ peerings }) => {
        const wanted: readonly string[] = WANTED_STATES[kind];
        const peering = choose(peerings, choice, ({ state }) => wanted.includes(state));
        if (peering === undefined) return undefined;
        const { requester, accepter } = peering;
        const answering = accepter.tenant === "nobody" ? undefined : accepter.tenant;
        const side = kind === "delete-peering" && choice.nth % 2 === 0 ? undefined : answering;
        const as = by(side ?? requester.tenant, draw.stranger);
        return { kind, as, peering: peering.id, autoRoutes: draw.autoRoutes };
      },
  );

const advance = fc.constantFrom(1, 3, 3, 3, 25, 49, 49, 169).map(
  (hours): Draw =>
    () => ({ kind: "advance", hours }),
);
const sweep = fc.constant<Draw>(() => ({ kind: "sweep" }));
const confirm = fc.constant<Draw>(() => ({ kind: "confirm" }));

/** The kinds of operation with their weights. */
export const draws = fc.oneof(
  { weight: 2, arbitrary: createVpc },
  { weight: 5, arbitrary: onVpc },
  { weight: 2, arbitrary: createSubnet },
  { weight: 1, arbitrary: deleteSubnet },
  { weight: 5, arbitrary: onTable },
  { weight: 1, arbitrary: associate },
  { weight: 9, arbitrary: request },
  { weight: 9, arbitrary: onPeering },
  { weight: 2, arbitrary: advance },
  { weight: 2, arbitrary: sweep },
  { weight: 4, arbitrary: confirm },
);

/** Many operations of few kinds, which get into one another's way more than others do. */
export const storms = fc.oneof(
  ...[
    createVpc,
    onVpc,
    request,
    onPeering,
    fc.oneof(onVpc, onPeering),
    fc.oneof(onTable, onVpc),
  ].map((arbitrary) => fc.array(arbitrary, { minLength: 6, maxLength: 12 })),
);
