// `npm run demo`: two tenants, two VPCs, one peering, real packets, against the running daemon.
import { client, runningDaemon } from "./lib/client.mjs";
import {
  attach,
  datapathFlows,
  detach,
  namespaceName,
  ping,
  untilBound,
  whatIsMissing,
} from "./lib/demo-network.mjs";
import { sleep } from "./lib/process.mjs";
import { heading, listing, Steps } from "./lib/steps.mjs";
import { bold, dim, green, note, out, red } from "./lib/terminal.mjs";

const steps = new Steps();
/** What was made, the newest last: undone in reverse, whatever happens. */
const undo = [];

const answered = (yes) => (yes ? "answered" : "no answer");

async function makeSide(operator, url, who, cidrBlock) {
  const tenant = await tenantNamed(operator, `Patchbay demo: ${who}`);
  const key = await operator("POST", `/tenants/${tenant.id}/access-keys`, { roles: ["admin"] });
  undo.push(() => operator("DELETE", `/tenants/${tenant.id}/access-keys/${key.id}`));
  const call = client(url, key.token);
  const vpc = await make(call, "/vpcs", { name: `demo ${who}`, cidrBlock });
  await letPingIn(call, vpc);
  const subnetBlock = cidrBlock.replace("0.0/16", "1.0/24");
  const subnet = await make(call, "/subnets", { vpcId: vpc.id, cidrBlock: subnetBlock });
  const eni = await make(call, "/network-interfaces", { subnetId: subnet.id }, "?force=true");
  return { call, tenant, vpc: await settled(call, vpc), eni, netns: namespaceName(who) };
}

/** A VPC's default security group admits its own members only. */
async function letPingIn(call, vpc) {
  const { items } = await call("GET", `/security-groups?vpcId=${vpc.id}`);
  const { id } = items.find(({ name }) => name === "default");
  const rule = { direction: "ingress", protocol: "icmp", fromPort: 8, cidrBlock: "10.0.0.0/8" };
  await call("POST", `/security-groups/${id}/rules`, rule);
}

/** Tenants cannot be deleted, so every demonstration uses the same two. */
async function tenantNamed(operator, name) {
  let cursor = "";
  do {
    const page = await operator("GET", `/tenants?limit=1000${cursor}`);
    const found = page.items.find((tenant) => tenant.name === name && tenant.suspended !== true);
    if (found) return found;
    cursor = page.nextCursor && `&cursor=${encodeURIComponent(page.nextCursor)}`;
  } while (cursor);
  return operator("POST", "/tenants", { name });
}

async function make(call, path, body, undoing = "") {
  const made = await call("POST", path, body);
  undo.push(() => call("DELETE", `${path}/${made.id}${undoing}`));
  return made;
}

async function plugIn(side, env) {
  await attach(side.eni.id, side.netns, env);
  undo.push(() => detach(side.eni.id, env));
  return untilBound(side.call, side.eni.id);
}

/** Waits until the daemon has said whether there is a switch. */
async function settled(call, vpc) {
  let found = vpc;
  for (let turn = 0; turn < 100 && found.dataPlane.state === "pending"; turn++) {
    await sleep(100);
    found = await call("GET", `/vpcs/${vpc.id}`);
  }
  return found;
}

const showSide = ({ tenant, vpc, eni }) =>
  `tenant ${tenant.id}, ${vpc.id} on ${vpc.bridge}, ${eni.privateIp}`;

/** A peering from a to b. Deleting one that is over already is refused, which is fine here. */
async function request(a, b) {
  const peering = await a.call("POST", "/vpc-peerings", {
    requesterVpcId: a.vpc.id,
    accepterVpcId: b.vpc.id,
    accepterTenantId: b.tenant.id,
  });
  undo.push(async () => {
    const { state } = await a.call("GET", `/vpc-peerings/${peering.id}`);
    if (["pending-acceptance", "provisioning", "active"].includes(state)) {
      await a.call("DELETE", `/vpc-peerings/${peering.id}?wait=10`);
    }
  });
  return peering;
}

/** @returns a step that pings from a to b, or says why there are no packets */
function pinger(a, b, packets) {
  return (wanted) => {
    const text = `ping ${a.eni.privateIp} → ${b.eni.privateIp} (${wanted ? "passes" : "fails"})`;
    if (!packets) return steps.skip(text, "no packets here");
    return steps.expect(text, wanted, () => ping(a.netns, b.eni.privateIp), answered);
  };
}

async function showFlows(operator, a, b, peering, packets, env) {
  const flows = await steps.do(
    "read the peering's OpenFlow flows",
    () => operator("GET", `/vpc-peerings/${peering.id}/flows`),
    ({ bridges }) => `${bridges.flatMap((bridge) => bridge.flows).length} flows`,
  );
  for (const { bridge, flows: lines } of flows.bridges) {
    out(`       ${bold(bridge)}`);
    listing(lines.map((line) => line.replace(/^cookie=\w+, /, "")));
  }
  if (!packets) return;
  const carried = await steps.do(
    "find the datapath flow that carries the packet",
    async () => {
      const found = await datapathFlows(a, b.eni.privateIp, env);
      if (found.length === 0) throw new Error("none found");
      return found;
    },
    (lines) => `${lines.length} found`,
  );
  listing(carried, 6);
}

async function demonstrate({ url, token, env }, missing) {
  const operator = client(url, token);
  heading("Two tenants, a VPC each");
  const side = (who, cidrBlock) =>
    steps.do(`${who}: ${cidrBlock}`, () => makeSide(operator, url, who, cidrBlock), showSide);
  const a = await side("alice", "10.0.0.0/16");
  const b = await side("bob", "10.1.0.0/16");
  const packets = missing.length === 0 && a.vpc.dataPlane.state !== "noop";
  for (const one of packets ? [a, b] : []) {
    const text = `plug in namespace ${one.netns}`;
    await steps.do(
      text,
      () => plugIn(one, env),
      ({ state }) => `interface ${state}`,
    );
  }
  if (!packets) explain(a.vpc.dataPlane.state === "noop" ? ["no-op mode"] : missing);
  const pingStep = pinger(a, b, packets);
  await pingStep(false);

  heading("A peering, asked for and accepted");
  const stateOf = (found) => found.state;
  const peering = await steps.do("alice asks bob", () => request(a, b), stateOf);
  const path = `/vpc-peerings/${peering.id}`;
  await pingStep(false);
  const accept = async () => stateOf(await b.call("POST", `${path}/accept?wait=10`));
  await steps.expect("bob accepts", "active", accept, String);
  await pingStep(true);
  await showFlows(operator, a, b, peering, packets, env);

  heading("The peering, deleted");
  const remove = async () => stateOf(await a.call("DELETE", `${path}?wait=10`));
  await steps.expect("alice deletes it", "deleted", remove, String);
  await pingStep(false);
}

function explain(missing) {
  out(dim(`       The API and the flows are shown, but no packets: ${missing.join("; ")}.`));
}

/** @returns {Promise<number>} how many things are left */
async function cleanUp() {
  let failures = 0;
  for (const step of undo.reverse()) {
    try {
      await step();
    } catch (error) {
      failures += 1;
      note(`cleaning up: ${error.message}`);
    }
  }
  return failures;
}

async function main() {
  // The step under way is finished, then everything is undone.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => steps.stop());
  try {
    const daemon = runningDaemon(process.env);
    await demonstrate(daemon, await whatIsMissing(daemon.env));
  } finally {
    const failures = await cleanUp();
    out(dim(`\n       cleaned up${failures > 0 ? `, but for ${failures} things` : ""}`));
    if (failures > 0) process.exitCode = 1;
  }
  conclude();
}

function conclude() {
  if (steps.failed > 0) {
    out(bold(red("\nNot as it should be.")));
    process.exitCode = 1;
    return;
  }
  out(
    bold(green(`\nAs it should be${steps.skipped > 0 ? ", as far as it can be shown here" : ""}.`)),
  );
}

main().catch((error) => {
  const cause = error.cause?.code === "ECONNREFUSED" ? " Is `npm run up` running?" : "";
  note(`${error.message}${cause}`);
  process.exitCode = 1;
});
