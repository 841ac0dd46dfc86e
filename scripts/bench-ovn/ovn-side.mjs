import { until } from "../lib/until.mjs";
import { startOvn } from "./ovn-processes.mjs";
import { makePlace, switchProcesses } from "./place.mjs";
import { linkPlan, vpcPlan } from "./plan.mjs";
import { plugIn } from "./ports.mjs";
import { whileAlive } from "./while-alive.mjs";

const BRIDGE = "br-int";

/**
 * OVN's side: a logical router and a logical switch for each VPC.
 * @param {boolean} stateful whether the switches get ACLs that judge every packet by conntrack
 */
export async function startOvnSide(bench, stateful) {
  const place = await makePlace(bench, `${bench.round}o`);
  const { services, nbctl } = await startOvn(place);
  return new OvnSide(place, services, nbctl, { stateful, meshBatch: bench.options.meshBatch });
}

class OvnSide {
  name = "OVN";
  key = "ovn";
  place;
  stateful;
  #services;
  #nbctl;
  #meshBatch;
  #vpcs = 0;
  #links = 0;

  constructor(place, services, nbctl, { stateful, meshBatch }) {
    this.place = place;
    this.#services = services;
    this.#nbctl = nbctl;
    this.stateful = stateful;
    this.#meshBatch = meshBatch;
  }

  processes() {
    return [...this.#services, ...switchProcesses(this.place)];
  }

  /** Makes VPCs until there are `count`, each with a bound port. @returns the new workloads */
  async grow(count, probes) {
    const plans = [];
    for (let index = this.#vpcs; index < count; index += 1) plans.push(vpcPlan(index));
    this.#vpcs = count;
    await this.#run(plans.flatMap((plan) => this.#vpcCommands(plan)));
    const ports = plans.map((plan) => ({
      plan,
      bridge: BRIDGE,
      ifaceId: `p${plan.index}`,
      mac: plan.mac,
      probe: plan.index < probes,
    }));
    const workloads = await plugIn(this.place, ports);
    await this.#untilBound();
    return workloads;
  }

  async peer([a, b]) {
    const link = this.#nextLink();
    await this.#run(peerCommands(a, b, link), { wait: "hv" });
    return { a, b };
  }

  async unpeer({ a, b }) {
    await this.#run(unpeerCommands(a, b), { wait: "hv" });
  }

  /** All pairs in transactions of `meshBatch` peerings, and one wait for the chassis at the end. */
  async mesh(pairs) {
    const batch = this.#meshBatch ?? pairs.length;
    for (let at = 0; at < pairs.length; at += batch) {
      const some = pairs.slice(at, at + batch);
      await this.#run(some.flatMap(([a, b]) => peerCommands(a, b, this.#nextLink())));
    }
    await this.#run([["sync"]], { wait: "hv" });
  }

  /** OVN waits for a switch that has crashed without end. */
  #run(commands, options) {
    return whileAlive(this.processes(), this.#nbctl.run(commands, options));
  }

  /** A link's addresses are never used twice, so nothing of an old peering can be taken for new. */
  #nextLink() {
    const link = linkPlan(this.#links);
    this.#links += 1;
    return link;
  }

  #vpcCommands(plan) {
    const { index, gateway, address } = plan;
    const [router, lswitch, port] = [`r${index}`, `s${index}`, `p${index}`];
    const [routerSide, switchSide] = [`${router}-${lswitch}`, `${lswitch}-${router}`];
    return [
      ["lr-add", router],
      ["ls-add", lswitch],
      ["lrp-add", router, routerSide, plan.routerMac, `${gateway}/24`],
      ["lsp-add", lswitch, switchSide],
      ["lsp-set-type", switchSide, "router"],
      ["lsp-set-addresses", switchSide, "router"],
      ["lsp-set-options", switchSide, `router-port=${routerSide}`],
      ["lsp-add", lswitch, port],
      ["lsp-set-addresses", port, `${plan.mac} ${address}`],
      ...(this.stateful ? aclCommands(lswitch) : []),
    ];
  }

  async #untilBound() {
    const bound = async () => {
      await this.#run([["sync"]], { wait: "hv" });
      const down = await this.#run([
        ["--bare", "--columns=name", "find", "Logical_Switch_Port", 'type=""', "up!=true"],
      ]);
      return down.trim() === "";
    };
    await until("all ports are up", bound, { services: this.#services, limitMs: 300_000 });
  }
}

/** The same as a security group that lets everything out, everybody in, and nothing else pass. */
function aclCommands(lswitch) {
  return [
    ["acl-add", lswitch, "from-lport", "1000", "ip4", "allow-related"],
    ["acl-add", lswitch, "to-lport", "1000", "ip4 && ip4.src == 0.0.0.0/0", "allow-related"],
    ["acl-add", lswitch, "from-lport", "1", "ip", "drop"],
    ["acl-add", lswitch, "to-lport", "1", "ip", "drop"],
  ];
}

/** Two router ports that are each other's peer, and on either router a route to the other block. */
function peerCommands(a, b, { near, far, nearMac, farMac }) {
  const [there, back] = [`x${a}-${b}`, `x${b}-${a}`];
  return [
    ["lrp-add", `r${a}`, there, nearMac, `${near}/30`, `peer=${back}`],
    ["lrp-add", `r${b}`, back, farMac, `${far}/30`, `peer=${there}`],
    ["lr-route-add", `r${a}`, vpcPlan(b).block, far, there],
    ["lr-route-add", `r${b}`, vpcPlan(a).block, near, back],
  ];
}

function unpeerCommands(a, b) {
  return [
    ["lr-route-del", `r${a}`, vpcPlan(b).block],
    ["lr-route-del", `r${b}`, vpcPlan(a).block],
    ["lrp-del", `x${a}-${b}`],
    ["lrp-del", `x${b}-${a}`],
  ];
}
