import { z } from "zod";
import type { Scene } from "./load/scene.js";

const KINDS = ["vpcs", "security-groups", "vpc-peerings"] as const;

const list = z.object({
  items: z.array(z.object({ id: z.string(), default: z.boolean().optional() })),
  nextCursor: z.null(),
});

/**
 * What is stored though nobody was told so: made by a call that was refused, or twice by one that
 * was repeated. To be called while nothing is being changed.
 */
export async function findStrays({ world, ledger }: Scene): Promise<string[]> {
  const known = new Set(world.sites.map(({ vpc }) => vpc.id));
  const strays: string[] = [];
  for (const kind of KINDS) {
    const { items } = list.parse(await world.operator.get(`/${kind}?limit=1000`));
    for (const { id, default: comesWithVpc } of items) {
      if (known.has(id) || comesWithVpc === true || ledger.has(`/${kind}/${id}`)) continue;
      strays.push(`nobody was told of ${kind}/${id}`);
    }
  }
  return strays;
}
