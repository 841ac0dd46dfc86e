import { z } from "zod";
import { ABSENT } from "../ledger.js";
import type { Random } from "../random.js";
import type { Site } from "../world.js";
import { lookAtName, lookIfThere } from "./looks.js";
import type { Action, Scene } from "./scene.js";

const MOST_GUESTS = 4;
const created = z.object({ id: z.string() });

/** A VPC without hosts, of the tenant of a site. */
interface Guest {
  readonly site: Site;
  readonly id: string;
  readonly number: number;
  /** Paths of what is in it, in the order in which it was made. */
  readonly content: string[];
}

/** VPCs, subnets and interfaces that come and go: bridges and ports with them. */
export function guestActions(scene: Scene): Action[] {
  const guests: Guest[] = [];
  let number = 0;
  const take = (random: Random) => guests.splice(random.between(0, guests.length - 1), 1)[0];
  const withOne = (work: (guest: Guest, random: Random) => Promise<boolean>) => {
    return async (random: Random) => {
      const guest = take(random);
      if (guest === undefined) return;
      if (await work(guest, random)) guests.push(guest);
    };
  };
  return [
    {
      weight: 1,
      run: async (random) => {
        if (guests.length >= MOST_GUESTS) return;
        number += 1;
        const guest = await createVpc(scene, random.pick(scene.world.sites), number);
        if (guest !== undefined) guests.push(guest);
      },
    },
    { weight: 1, run: withOne((guest) => furnish(scene, guest)) },
    { weight: 2, run: withOne((guest, random) => rename(scene, guest, random)) },
    { weight: 1, run: withOne((guest) => clear(scene, guest)) },
  ];
}

async function createVpc({ ledger }: Scene, site: Site, number: number) {
  const name = `guest ${number}`;
  const cidrBlock = `10.${100 + (number % 100)}.0.0/16`;
  const answer = await site.caller.change("POST", "/vpcs", { cidrBlock, name });
  if (answer.status >= 300) return undefined;
  const { id } = created.parse(answer.body);
  ledger.add(`/vpcs/${id}`, lookAtName(site.caller, `/vpcs/${id}`), `name ${name}`);
  return { site, id, number, content: [] };
}

async function furnish({ ledger }: Scene, { site, id, number, content }: Guest) {
  if (content.length >= 4) return true;
  const make = async (kind: string, body: object) => {
    const answer = await site.caller.change("POST", `/${kind}`, body);
    if (answer.status >= 300) return undefined;
    const path = `/${kind}/${created.parse(answer.body).id}`;
    content.push(path);
    ledger.add(path, lookIfThere(site.caller, path), "there");
    return path.slice(kind.length + 2);
  };
  const cidrBlock = `10.${100 + (number % 100)}.${content.length}.0/24`;
  const subnetId = await make("subnets", { vpcId: id, cidrBlock });
  if (subnetId !== undefined) await make("network-interfaces", { subnetId });
  return true;
}

async function rename({ ledger }: Scene, { site, id }: Guest, random: Random) {
  const name = `renamed ${random.between(0, 1_000_000)}`;
  const answer = await site.caller.change("PATCH", `/vpcs/${id}`, { name });
  if (answer.status < 300) ledger.settle(`/vpcs/${id}`, `name ${name}`);
  return true;
}

/** @returns whether it is still there */
async function clear({ ledger }: Scene, { site, id, content }: Guest) {
  for (const path of [...content].reverse()) {
    const answer = await site.caller.change("DELETE", path);
    if (answer.status >= 300) return true;
    content.pop();
    ledger.settle(path, ABSENT);
  }
  const answer = await site.caller.change("DELETE", `/vpcs/${id}`);
  if (answer.status >= 300) return true;
  ledger.settle(`/vpcs/${id}`, ABSENT);
  return false;
}
