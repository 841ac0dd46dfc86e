import { z } from "zod";
import { ABSENT } from "../ledger.js";
import type { Random } from "../random.js";
import type { Site } from "../world.js";
import { lookAtRoute } from "./looks.js";
import type { Action, Scene } from "./scene.js";

const MOST_ROUTES = 12;

const tables = z.object({ items: z.array(z.object({ id: z.string(), main: z.boolean() })) });

interface Route {
  readonly site: Site;
  readonly tableId: string;
  readonly destination: string;
}

/** Routes to where no host is: they come and go beside those that the probes follow. */
export function routeActions(scene: Scene): Action[] {
  const routes: Route[] = [];
  let made = 0;
  return [
    {
      weight: 2,
      run: async (random) => {
        made += 1;
        const destination = `172.${16 + ((made >> 8) % 16)}.${made % 256}.0/24`;
        const route = await addRoute(scene, random, destination);
        if (route !== undefined) routes.push(route);
      },
    },
    {
      weight: 2,
      run: async (random) => {
        if (routes.length === 0 || (routes.length < MOST_ROUTES && random.chance(0.5))) return;
        const [route] = routes.splice(random.between(0, routes.length - 1), 1);
        if (route !== undefined) await removeRoute(scene, route);
      },
    },
  ];
}

async function addRoute(
  { slots, ledger }: Scene,
  random: Random,
  destination: string,
): Promise<Route | undefined> {
  const peered = slots.filter(({ phase }) => phase === "accepted");
  if (peered.length === 0) return undefined;
  const slot = random.pick(peered);
  const { id: vpcPeeringId } = slot;
  const site = random.chance(0.5) ? slot.a : slot.b;
  const { body } = await site.caller.read(`/route-tables?vpcId=${site.vpc.id}`);
  const tableId = tables.parse(body).items.find(({ main }) => main)?.id;
  if (tableId === undefined || vpcPeeringId === undefined) throw new Error("no main route table");
  const path = `/route-tables/${tableId}`;
  const route = { destinationCidrBlock: destination, vpcPeeringId };
  const answer = await site.caller.change("POST", `${path}/routes`, route);
  if (answer.status >= 300) return undefined;
  ledger.add(`${path} ${destination}`, lookAtRoute(site.caller, path, destination), vpcPeeringId);
  return { site, tableId, destination };
}

async function removeRoute({ ledger }: Scene, { site, tableId, destination }: Route) {
  const path = `/route-tables/${tableId}`;
  const answer = await site.caller.change(
    "DELETE",
    `${path}/routes/${encodeURIComponent(destination)}`,
  );
  if (answer.status < 300) ledger.settle(`${path} ${destination}`, ABSENT);
}
