import { ApiError } from "./client.mjs";

/**
 * A VPC's default security group admits its own members only. Where groups exist it is made to
 * admit everybody, by a stateful rule; a daemon without groups answers 404 and admits anyway.
 * @returns {Promise<boolean>} whether there are groups, and so conntrack in every packet's path
 */
export async function admitEverybody(call, vpcId) {
  const groups = await groupsOf(call, vpcId);
  if (groups === undefined) return false;
  const group = groups.find(({ name }) => name === "default");
  if (group === undefined) throw new Error(`${vpcId} has no security group named default`);
  const rule = { direction: "ingress", protocol: "all", cidrBlock: "0.0.0.0/0" };
  await call("POST", `/security-groups/${group.id}/rules`, rule);
  return true;
}

async function groupsOf(call, vpcId) {
  try {
    return (await call("GET", `/security-groups?vpcId=${vpcId}`)).items;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
