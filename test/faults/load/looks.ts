import { z } from "zod";
import type { Caller } from "../caller.js";
import { ABSENT, type Look } from "../ledger.js";

const peering = z.object({ state: z.string() });
const named = z.object({ name: z.string().nullable() });
const grouped = z.object({ securityGroupIds: z.array(z.string()) });
const table = z.object({
  routes: z.array(
    z.object({ destinationCidrBlock: z.string(), target: z.string(), origin: z.string() }),
  ),
});

/** A state that the daemon reaches by itself counts as the one that was asked for. */
const PHASES: Readonly<Record<string, string>> = {
  provisioning: "accepted",
  active: "accepted",
  deleting: "deleted",
};

export function phaseOf(body: unknown): string {
  const { state } = peering.parse(body);
  return PHASES[state] ?? state;
}

function look(caller: Caller, path: string, describe: (body: unknown) => string): Look {
  return async () => {
    const { status, body } = await caller.read(path);
    return status === 404 ? ABSENT : describe(body);
  };
}

export const lookAtPeering = (caller: Caller, id: string): Look =>
  look(caller, `/vpc-peerings/${id}`, phaseOf);

export const lookAtName = (caller: Caller, path: string): Look =>
  look(caller, path, (body) => `name ${named.parse(body).name}`);

export const lookIfThere = (caller: Caller, path: string): Look =>
  look(caller, path, () => "there");

export const lookAtGroups = (caller: Caller, path: string): Look =>
  look(caller, path, (body) => groupsText(grouped.parse(body).securityGroupIds));

export function groupsText(ids: readonly string[]): string {
  return [...ids].sort().join(" ");
}

/** Whether a route of the tenant's own leads to this peering. */
export const lookAtRoute = (caller: Caller, tablePath: string, destination: string): Look =>
  look(caller, tablePath, (body) => {
    const { routes } = table.parse(body);
    const own = routes.filter(({ origin }) => origin === "user");
    return own.find((route) => route.destinationCidrBlock === destination)?.target ?? ABSENT;
  });
