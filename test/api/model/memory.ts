import type { KnownPeering, Universe } from "./draws.js";
import { blocksOf, type Snapshot, tenantNames } from "./snapshot.js";
import type { World } from "./world.js";

type List<K extends keyof Universe> = Map<string, Universe[K][number]>;

/** Remembers across snapshots what there was, so that what is gone is tried again too. */
export class Memory {
  readonly #vpcs: List<"vpcs"> = new Map();
  readonly #tables: List<"tables"> = new Map();
  readonly #subnets: List<"subnets"> = new Map();
  readonly #peerings: List<"peerings"> = new Map();

  universe(world: World, snapshot: Snapshot): Universe {
    this.#age();
    const names = tenantNames(world);
    for (const vpc of snapshot.vpcs) {
      const { id } = vpc;
      const tenant = names.get(vpc.tenantId) ?? "north";
      this.#vpcs.set(id, { id, tenant, alive: true, blocks: blocksOf(vpc) });
    }
    const ownerOf = (vpc: string) => this.#vpcs.get(vpc)?.tenant ?? "north";
    for (const { id, vpcId: vpc, routes } of snapshot.tables) {
      const destinations = routes.map((route) => route.destination);
      this.#tables.set(id, { id, tenant: ownerOf(vpc), alive: true, vpc, destinations });
    }
    for (const { id, vpcId: vpc } of snapshot.subnets) {
      this.#subnets.set(id, { id, tenant: ownerOf(vpc), alive: true, vpc });
    }
    for (const peering of snapshot.peerings) {
      const known: KnownPeering = {
        id: peering.id,
        state: peering.state,
        requester: {
          tenant: names.get(peering.requesterTenantId) ?? "north",
          vpc: peering.requesterVpcId,
        },
        accepter: {
          tenant: names.get(peering.accepterTenantId) ?? "nobody",
          vpc: peering.accepterVpcId,
        },
      };
      this.#peerings.set(peering.id, known);
    }
    return {
      vpcs: [...this.#vpcs.values()],
      tables: [...this.#tables.values()],
      subnets: [...this.#subnets.values()],
      peerings: [...this.#peerings.values()],
    };
  }

  #age(): void {
    for (const [id, vpc] of this.#vpcs) this.#vpcs.set(id, { ...vpc, alive: false });
    for (const [id, table] of this.#tables) this.#tables.set(id, { ...table, alive: false });
    for (const [id, subnet] of this.#subnets) this.#subnets.set(id, { ...subnet, alive: false });
    for (const [id, peering] of this.#peerings) {
      this.#peerings.set(id, { ...peering, state: "forgotten" });
    }
  }
}
