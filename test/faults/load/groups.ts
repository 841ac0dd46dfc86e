import { z } from "zod";
import { ABSENT } from "../ledger.js";
import type { Random } from "../random.js";
import type { Site } from "../world.js";
import { groupsText, lookAtGroups, lookAtName, lookIfThere } from "./looks.js";
import type { Action, Scene } from "./scene.js";

const MOST_GROUPS = 3;
const created = z.object({ id: z.string() });

interface Group {
  readonly id: string;
  readonly rules: string[];
}

/** The groups of one site beside its default one; one change at a time. */
interface Wardrobe {
  readonly site: Site;
  readonly groups: Group[];
  worn: string[];
  busy: boolean;
}

/** Groups, rules and memberships; the default group, which lets the probes in, stays as it is. */
export function groupActions(scene: Scene): Action[] {
  let number = 0;
  const wardrobes = scene.world.sites.map(
    (site): Wardrobe => ({ site, groups: [], worn: [], busy: false }),
  );
  for (const { site } of wardrobes) noteMembership(scene, site);
  const whenIdle =
    (work: (wardrobe: Wardrobe, random: Random) => Promise<void>) => async (random: Random) => {
      const idle = wardrobes.filter(({ busy }) => !busy);
      if (idle.length === 0) return;
      const wardrobe = random.pick(idle);
      wardrobe.busy = true;
      try {
        await work(wardrobe, random);
      } finally {
        wardrobe.busy = false;
      }
    };
  const create = async (wardrobe: Wardrobe) => {
    number += 1;
    await createGroup(scene, wardrobe, `load ${number}`);
  };
  return [
    { weight: 2, run: whenIdle(create) },
    { weight: 3, run: whenIdle((wardrobe, random) => addRule(scene, wardrobe, random)) },
    { weight: 2, run: whenIdle((wardrobe, random) => removeRule(scene, wardrobe, random)) },
    { weight: 3, run: whenIdle((wardrobe, random) => changeMembership(scene, wardrobe, random)) },
    { weight: 1, run: whenIdle((wardrobe, random) => deleteGroup(scene, wardrobe, random)) },
  ];
}

const interfacePath = ({ eni }: Site) => `/network-interfaces/${eni.id}`;

function noteMembership({ ledger }: Scene, site: Site): void {
  const path = interfacePath(site);
  ledger.add(path, lookAtGroups(site.caller, path), groupsText([site.defaultGroupId]));
}

async function createGroup({ ledger }: Scene, { site, groups }: Wardrobe, name: string) {
  if (groups.length >= MOST_GROUPS) return;
  const answer = await site.caller.change("POST", "/security-groups", { vpcId: site.vpc.id, name });
  if (answer.status >= 300) return;
  const { id } = created.parse(answer.body);
  groups.push({ id, rules: [] });
  const path = `/security-groups/${id}`;
  ledger.add(path, lookAtName(site.caller, path), `name ${name}`);
}

async function addRule({ ledger }: Scene, { site, groups }: Wardrobe, random: Random) {
  if (groups.length === 0) return;
  const group = random.pick(groups);
  const fromPort = random.between(1, 60_000);
  const path = `/security-groups/${group.id}/rules`;
  const answer = await site.caller.change("POST", path, {
    direction: random.pick(["ingress", "egress"]),
    protocol: random.pick(["tcp", "udp"]),
    fromPort,
    toPort: fromPort + random.between(0, 99),
    ...(random.chance(0.5)
      ? { cidrBlock: `10.${random.between(0, 9)}.0.0/16` }
      : { securityGroupId: random.pick(groups).id }),
  });
  if (answer.status >= 300) return;
  const { id } = created.parse(answer.body);
  group.rules.push(id);
  ledger.add(`${path}/${id}`, lookIfThere(site.caller, `${path}/${id}`), "there");
}

async function removeRule({ ledger }: Scene, { site, groups }: Wardrobe, random: Random) {
  const withRules = groups.filter(({ rules }) => rules.length > 0);
  if (withRules.length === 0) return;
  const group = random.pick(withRules);
  const id = random.pick(group.rules);
  const path = `/security-groups/${group.id}/rules/${id}`;
  const answer = await site.caller.change("DELETE", path);
  if (answer.status >= 300) return;
  group.rules.splice(group.rules.indexOf(id), 1);
  ledger.settle(path, ABSENT);
}

async function changeMembership({ ledger }: Scene, wardrobe: Wardrobe, random: Random) {
  const { site, groups } = wardrobe;
  const worn = groups.map(({ id }) => id).filter(() => random.chance(0.5));
  const securityGroupIds = [site.defaultGroupId, ...worn];
  const answer = await site.caller.change("PATCH", interfacePath(site), { securityGroupIds });
  if (answer.status >= 300) return;
  wardrobe.worn = worn;
  ledger.settle(interfacePath(site), groupsText(securityGroupIds));
}

/** Refused while a rule names it or the interface is in it, which is as well. */
async function deleteGroup({ ledger }: Scene, { site, groups }: Wardrobe, random: Random) {
  if (groups.length === 0) return;
  const group = random.pick(groups);
  const path = `/security-groups/${group.id}`;
  const answer = await site.caller.change("DELETE", path);
  if (answer.status >= 300) return;
  groups.splice(groups.indexOf(group), 1);
  ledger.settle(path, ABSENT);
  for (const rule of group.rules) ledger.settle(`${path}/rules/${rule}`, ABSENT);
}
