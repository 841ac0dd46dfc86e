import { z } from "zod";
import type { RestClient } from "../support/rest.js";
import type { World } from "./world.js";

const vpcs = z.object({ items: z.array(z.object({ id: z.string(), bridge: z.string() })) });
const interfaces = z.object({ items: z.array(z.object({ id: z.string() })) });

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

/** Bridges, ports and conntrack zones that belong to nothing that is stored; by the switch alone. */
export async function findOrphans(world: World): Promise<string[]> {
  const { sandbox, operator } = world;
  const { items } = vpcs.parse(await operator.get("/vpcs?limit=1000"));
  const exchange = new Set(await ownBridges(world, "exchange"));
  const expected = new Set([...items.map(({ bridge }) => bridge), ...exchange]);
  const bridges = lines(await sandbox.vsctl("list-br"));
  const orphans = bridges
    .filter((name) => !expected.has(name))
    .map((name) => `bridge ${name} belongs to no VPC`);
  if (exchange.size !== 1) orphans.push(`there are ${exchange.size} exchanges`);
  for (const name of expected) if (!bridges.includes(name)) orphans.push(`no bridge ${name}`);
  orphans.push(...(await strayPorts(world, new Set(items.map(({ id }) => id)))));
  orphans.push(...(await strayZones(world, operator)));
  return orphans;
}

async function ownBridges({ sandbox }: World, role: string): Promise<string[]> {
  const find = ["--bare", "--columns=name", "find", "Bridge", `external_ids:patchbay-role=${role}`];
  return lines(await sandbox.vsctl(...find));
}

/** Each VPC has one patch port on its bridge and one on the exchange, and nobody else has any. */
async function strayPorts({ sandbox }: World, vpcIds: ReadonlySet<string>): Promise<string[]> {
  const list = ["--format=csv", "--data=bare", "--no-headings", "--columns=name,external_ids"];
  const text = await sandbox.vsctl(...list, "find", "Port", "external_ids:patchbay-role=uplink");
  const counts = new Map([...vpcIds].map((id) => [id, 0]));
  const stray: string[] = [];
  for (const line of lines(text)) {
    const vpcId = /patchbay-vpc=(vpc-[0-9a-f]+)/.exec(line)?.[1] ?? "";
    const count = counts.get(vpcId);
    if (count === undefined) stray.push(`patch port of no VPC: ${line}`);
    else counts.set(vpcId, count + 1);
  }
  for (const [id, count] of counts) if (count !== 2) stray.push(`${id} has ${count} patch ports`);
  return stray;
}

/** A zone belongs to one side of one interface that is there; connections are remembered in such zones only. */
async function strayZones({ sandbox }: World, operator: RestClient): Promise<string[]> {
  const { items } = interfaces.parse(await operator.get("/network-interfaces?limit=1000"));
  const known = new Set(items.map(({ id }) => id));
  const marks = await sandbox.vsctl("--bare", "--columns=external_ids", "find", "Interface");
  const owners = new Map<string, string>();
  const stray: string[] = [];
  for (const [, owner = "", zone = ""] of marks.matchAll(
    /patchbay-ct-zone(?:-caller)?=(\S+):(\d+)/g,
  )) {
    if (!known.has(owner)) stray.push(`zone ${zone} belongs to ${owner}, which is not there`);
    if (owners.has(zone)) stray.push(`zone ${zone} has two owners`);
    owners.set(zone, owner);
  }
  const table = await sandbox.appctl("dpctl/dump-conntrack");
  const used = new Set([...table.matchAll(/\bzone=(\d+)/g)].map(([, zone]) => zone ?? ""));
  for (const zone of used) if (!owners.has(zone)) stray.push(`zone ${zone} is nobody's`);
  return stray;
}
