import type { Tx } from "../../src/store/database/transaction.js";

const ANY_TRAFFIC = { protocol: -1, fromPort: -1, toPort: -1 };

/** For a VPC with three others around it. */
export const hubAndThree = [
  ["a", "10.1.0.0/16"],
  ["b", "10.2.0.0/16"],
  ["c", "10.3.0.0/16"],
  ["d", "10.4.0.0/16"],
] as const;

export interface NewRule {
  readonly direction?: "ingress" | "egress";
  readonly protocol?: number;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly block?: string;
  /** Id of a group, and of its VPC. */
  readonly from?: readonly [groupId: string, vpcId: string];
}

export async function addRule(
  client: Tx,
  id: string,
  groupId: string,
  rule: NewRule,
): Promise<void> {
  const { direction = "ingress", from, block, ...traffic } = rule;
  const [peerGroupId = null, peerVpcId = null] = from ?? [];
  await client.securityGroupRule.create({
    data: {
      ...{ id, groupId, direction, peerGroupId, peerVpcId, block: block ?? null },
      ...{ ...ANY_TRAFFIC, ...traffic },
    },
  });
}
