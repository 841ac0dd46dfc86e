import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { vsctl } from "../bench-ovn/place.mjs";
import { makeHost } from "../bench-ovn/ports.mjs";
import { run } from "../lib/process.mjs";

/** Zones that the daemon, which gives them out from the first one on, does not reach. */
const [FIRST, SECOND] = [65_001, 65_002];

const looked = (zone, table) => `ct(zone=${zone},table=${table})`;

/**
 * What a bridge that does nothing else is told, by the name of the comparison. The last two say what
 * conntrack costs by itself: a peering looks a packet up once at each of its ends.
 */
const FLOWS = {
  plain: ["actions=NORMAL"],
  "plain-ct": [
    "table=0,priority=1,actions=NORMAL",
    `table=0,priority=2,ip,actions=${looked(FIRST, 1)}`,
    `table=1,priority=2,ip,ct_state=+new,actions=ct(commit,zone=${FIRST}),NORMAL`,
    "table=1,priority=1,actions=NORMAL",
  ],
  "plain-ct-twice": [
    "table=0,priority=1,actions=NORMAL",
    `table=0,priority=2,ip,actions=${looked(FIRST, 1)}`,
    `table=1,priority=2,ip,ct_state=+new,actions=ct(commit,zone=${FIRST}),${looked(SECOND, 2)}`,
    `table=1,priority=1,ip,actions=${looked(SECOND, 2)}`,
    `table=2,priority=2,ip,ct_state=+new,actions=ct(commit,zone=${SECOND}),NORMAL`,
    "table=2,priority=1,actions=NORMAL",
  ],
};

export const PLAIN_KINDS = Object.keys(FLOWS);

/**
 * Two hosts at a bridge of the same switch that the daemon does not know.
 * @returns {Promise<import("./site.mjs").Path>}
 */
export async function plainPath(place, name) {
  const bridge = `pbk${PLAIN_KINDS.indexOf(name)}`;
  const kind = [`datapath_type=${place.datapath}`, "fail_mode=secure"];
  await vsctl(place, ["add-br", bridge, "--", "set", "Bridge", bridge, ...kind]);
  const file = join(place.dir, `${bridge}.flows`);
  writeFileSync(file, `${FLOWS[name].join("\n")}\n`);
  const target = `unix:${place.switchDir}/${bridge}.mgmt`;
  await run("ovs-ofctl", ["-O", "OpenFlow14", "--no-names", "add-flows", target, file]);
  const [from, to] = await makeEnds(place, bridge);
  for (const { device } of [from, to]) await vsctl(place, ["add-port", bridge, device]);
  return { name, from, to };
}

/** Two hosts at a bridge of the kernel's own. @returns {Promise<import("./site.mjs").Path>} */
export async function linuxBridgePath(place) {
  const bridge = "pbkbr";
  await place.inside("ip", ["link", "add", bridge, "type", "bridge"]);
  await place.inside("ip", ["link", "set", bridge, "up"]);
  const [from, to] = await makeEnds(place, bridge);
  for (const { device } of [from, to]) {
    await place.inside("ip", ["link", "set", device, "master", bridge]);
  }
  return { name: "bridge", from, to };
}

function makeEnds(place, bridge) {
  const end = (letter, last) => {
    const name = `${bridge}${letter}`;
    return makeHost(place, { name, device: name, address: `192.168.77.${last}` });
  };
  return Promise.all([end("a", 1), end("b", 2)]);
}
