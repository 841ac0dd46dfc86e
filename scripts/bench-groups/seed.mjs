import { anyBlock } from "../../dist/domain/address-plan.js";
import { newId } from "../../dist/domain/ids.js";
import { ruleTraffic } from "../../dist/domain/security-rules.js";
import { columnsOf } from "../../dist/store/security-group-rules.js";

/**
 * Gives a group exactly these rules, past the API, in which a thousand calls take minutes: every
 * call reads the whole group, and has the switch follow.
 * @param {import("../../src/generated/prisma/client.js").PrismaClient} db of a daemon that is down
 */
export async function seedRules(db, { groupId, vpcId, rules }) {
  await db.securityGroupRule.deleteMany({ where: { groupId } });
  const rows = rules.map((rule) => ({
    id: newId("securityGroupRule"),
    groupId,
    ...columnsOf({ direction: rule.direction, traffic: ruleTraffic(rule), peer: peerOf(rule) }),
  }));
  await db.securityGroupRule.createMany({ data: rows });

  function peerOf({ cidrBlock, securityGroupId }) {
    if (securityGroupId !== undefined) return { kind: "group", groupId: securityGroupId, vpcId };
    return { kind: "block", block: anyBlock(cidrBlock, "/cidrBlock") };
  }
}

/** Makes members of a group in a subnet that has room for them above its 1,024th address. */
export async function seedMembers(db, { vpcId, subnetId, groupId, count }) {
  const { generation } = await db.vpc.findUniqueOrThrow({ where: { id: vpcId } });
  const rows = Array.from({ length: count }, (_, index) => ({
    id: newId("networkInterface"),
    vpcId,
    subnetId,
    privateIp: `10.0.${4 + (index >> 8)}.${index & 255}`,
    macAddress: `02:be:00:00:${twoDigits(index >> 8)}:${twoDigits(index & 255)}`,
    generation,
  }));
  await db.networkInterface.createMany({ data: rows });
  const memberships = rows.map(({ id }) => ({ networkInterfaceId: id, groupId }));
  await db.groupMembership.createMany({ data: memberships });
  return rows.map(({ id }) => id);
}

const twoDigits = (byte) => byte.toString(16).padStart(2, "0");
