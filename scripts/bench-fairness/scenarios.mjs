import { openConnections, openStreams } from "./held-open.mjs";
import { ask, inLoops, stormOf } from "./storm.mjs";

/**
 * What the tenant that attacks does, in a process of its own. `begin` is given where and with what,
 * and answers how to stop it; `count(STATUS)` notes an answer.
 */
export const SCENARIOS = {
  reads: {
    title: "all its keys read, 60 at once",
    begin: (attack) => stormOf(attack, { connections: 60, pathOf: oneVpc }),
  },
  lists: {
    title: "1,000 calls at once for lists of 1,000",
    begin: (attack) => stormOf(attack, { connections: 1000, pathOf: () => "/v1/vpcs?limit=1000" }),
  },
  writes: {
    title: "60 at once make, peer and delete VPCs",
    begin: (attack) => inLoops(60, (at) => makeAndBreak(attack, at)),
  },
  streams: {
    title: "64 event streams, as far as it may have them",
    begin: (attack) => openStreams(attack, 64),
  },
  bogus: {
    title: "credentials that are none, 60 at once",
    begin: (attack) => stormOf(attack, { connections: 60, pathOf: oneVpc, tokenOf: bogusToken }),
  },
  slow: {
    title: "500 connections that send a byte a second",
    begin: (attack) => openConnections(attack, 500),
  },
};

function oneVpc({ vpcIds }, at) {
  return `/v1/vpcs/${vpcIds[at % vpcIds.length]}`;
}

/** Well-formed, of a key that is there, with another secret. */
function bogusToken(token) {
  return `${token.slice(0, -8)}${"A".repeat(8)}`;
}

async function makeAndBreak(attack, at) {
  const token = attack.tokens[at % attack.tokens.length];
  const call = (method, path, body) => ask(attack, { token, method, path, body });
  const made = await call("POST", "/v1/vpcs", { cidrBlock: "172.16.0.0/16" });
  if (made.id === undefined) return;
  const accepterVpcId = attack.vpcIds[at % attack.vpcIds.length];
  const ends = { requesterVpcId: made.id, accepterVpcId };
  const asked = await call("POST", "/v1/vpc-peerings", ends);
  if (asked.id !== undefined) {
    await call("POST", `/v1/vpc-peerings/${asked.id}/accept`);
    await call("DELETE", `/v1/vpc-peerings/${asked.id}?wait=5`);
  }
  await call("DELETE", `/v1/vpcs/${made.id}`);
}
