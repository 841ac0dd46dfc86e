import { describe, expect, it } from "vitest";
import { cidr } from "../../../src/domain/cidr.js";
import type { PeeringIntent } from "../../../src/domain/intent.js";
import { routerMac } from "../../../src/domain/mac.js";
import { formatActions } from "../../../src/openflow/action.js";
import { decodeCookie } from "../../../src/openflow/cookie.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { dropFor } from "../../../src/pipeline/drops.js";
import {
  exchangeBaseFlows,
  exchangeFlows,
  type InterfacePort,
  vpcBridgeFlows,
} from "../../../src/pipeline/render.js";
import { PipelineError } from "../../../src/pipeline/table-flow.js";
import { VPC_TABLES } from "../../../src/pipeline/tables.js";
import { OPTIONS, peering, peeringFlowsOf, portsOf, routed, uplinksOf, vpc } from "./topologies.js";

const a = vpc(1, ["10.10.1.0/24"]);
const b = vpc(2, ["10.20.1.0/24"]);
const c = vpc(3, ["10.30.1.0/24"]);
const ab = peering(101, a, b);

const render = (peerings: readonly PeeringIntent[], intent = a, ports = portsOf(intent)) =>
  vpcBridgeFlows(intent, peerings, ports, OPTIONS);

const inTable = (flows: readonly Flow[], table: keyof typeof VPC_TABLES) =>
  flows.filter((flow) => flow.table === VPC_TABLES[table].number);

describe("a VPC bridge", () => {
  it("ends every table with a drop that counts, by interface where a route is missing", () => {
    const misses = render([]).filter(({ priority }) => priority === 0);
    expect(misses.map(({ table }) => table)).toEqual(
      Object.values(VPC_TABLES).map(({ number }) => number),
    );
    const others = misses.filter(({ actions }) => actions !== "drop");
    expect(others.map(({ table, actions }) => [table, actions])).toEqual([
      [VPC_TABLES.route.number, formatActions(dropFor("noRoute"))],
      [VPC_TABLES.peering.number, formatActions(dropFor("notAdmitted"))],
    ]);
  });

  it("has no flows for an interface that is not bound", () => {
    const flows = render([], a, { uplink: 1, interfaces: new Map() });
    expect(flows.filter((flow) => decodeCookie(flow.cookie).category === "interface")).toEqual([]);
    expect(JSON.stringify(flows.map(({ match }) => match))).not.toContain("10.10.1.10");
  });

  it("drops fragments only when asked to", () => {
    const fragments = (dropFragments: boolean) =>
      vpcBridgeFlows(a, [], portsOf(a), { ...OPTIONS, dropFragments }).filter(
        ({ match }) => match["nw_frag"] !== undefined,
      );
    expect(fragments(false)).toEqual([]);
    expect(fragments(true)).toMatchObject([
      { table: 0, match: { nw_frag: "yes" }, actions: "drop" },
    ]);
  });

  it("asks for room only where the datapath does not", () => {
    const remembering = (dropsBeyondRoom: boolean) =>
      vpcBridgeFlows(a, [], portsOf(a), { ...OPTIONS, dropsBeyondRoom })
        .filter(({ match }) => match["ct_state"] === "+new+trk")
        .map(({ actions }) => /table=\d+,|goto_table:\d+/.exec(actions)?.[0]);
    const { egressRoom, ingressRoom, peering: onward, ingressAdmission } = VPC_TABLES;
    expect(remembering(false)).toEqual(
      [egressRoom, ingressRoom].map((to) => `table=${to.number},`),
    );
    expect(remembering(true)).toEqual(
      [onward, ingressAdmission].map((to) => `goto_table:${to.number}`),
    );
  });

  it("ignores peerings that are not admitted, and those of other VPCs", () => {
    const others = [peering(101, a, b, { admitted: false }), peering(102, b, c)];
    expect(render(others)).toEqual(render([]));
  });

  it("sees a peering the same from either end", () => {
    const asRequester = peeringFlowsOf(render([ab]), 101);
    const asAccepter = peeringFlowsOf(render([peering(101, b, a)]), 101);
    expect(asAccepter).toEqual(asRequester);
    expect(asRequester.map(({ table }) => table)).toEqual([
      VPC_TABLES.peering.number,
      VPC_TABLES.exchangeIngress.number,
      VPC_TABLES.ingressAdmission.number,
      VPC_TABLES.continuity.number,
    ]);
  });

  it("routes to a peer only by its route tables, but always admits its packets", () => {
    const flows = render([ab]);
    expect(inTable(flows, "route").map(({ match }) => match["nw_dst"])).not.toContain(
      "10.20.0.0/16",
    );
    expect(inTable(peeringFlowsOf(flows, 101), "exchangeIngress")).toHaveLength(1);
  });

  it("routes by the table of the sender's subnet, which a blackhole takes part in", () => {
    const two = vpc(1, ["10.10.1.0/24", "10.10.2.0/24"]);
    const tables = routed(two, { "10.20.0.0/16": 101, "10.20.4.0/24": null }, { "0.0.0.0/0": 101 });
    const routes = inTable(render([ab], tables), "route").filter(({ match }) => match["reg2"]);
    const onward = `set_field:0x65->reg1,goto_table:${VPC_TABLES.egressTrack.number}`;
    expect(routes.map(({ priority, match, actions }) => [priority, match, actions])).toEqual([
      [17, { ip: true, reg2: "0x20", nw_dst: "10.20.0.0/16" }, onward],
      [25, { ip: true, reg2: "0x20", nw_dst: "10.20.4.0/24" }, formatActions(dropFor("blackhole"))],
      [1, { ip: true, reg2: "0x21" }, onward],
    ]);
    expect(routes.map(({ cookie }) => decodeCookie(cookie))).toMatchObject([
      { category: "route", object: 0x20 },
      { category: "route", object: 0x20 },
      { category: "route", object: 0x21 },
    ]);
  });

  it("has no routes of tables by which nothing that is plugged in sends", () => {
    const two = vpc(1, ["10.10.1.0/24", "10.10.2.0/24"]);
    const tables = routed(two, { "10.20.0.0/16": 101 }, { "0.0.0.0/0": 101 });
    const [first] = [...portsOf(two).interfaces];
    const tablesOf = (...plugged: (readonly [string, InterfacePort])[]) =>
      inTable(render([ab], tables, { uplink: 1, interfaces: new Map(plugged) }), "route")
        .map(({ match }) => match["reg2"])
        .filter((table) => table !== undefined);
    expect(tablesOf()).toEqual([]);
    expect(first === undefined ? [] : tablesOf(first)).toEqual(["0x20"]);
    expect(tablesOf(...portsOf(two).interfaces)).toEqual(["0x20", "0x21"]);
  });

  it("asks for a route back only of peers whose blocks overlap", () => {
    const rival = peering(102, a, { ...c, blocks: [cidr("10.20.128.0/17")] });
    const backward = (peerings: readonly PeeringIntent[]) =>
      inTable(render(peerings, routed(a, { "10.20.0.0/16": 101 })), "returnRoute")
        .filter(({ match }) => match["reg1"])
        .map(({ priority, match, actions }) => [priority, match, actions]);
    expect(backward([ab, peering(103, a, c)])).toEqual([]);
    const routes = { ip: true, reg2: "0x20", nw_src: "10.20.0.0/16" };
    expect(backward([ab, rival])).toEqual([
      [2, { ip: true, reg1: "0x65" }, "drop"],
      [19, { ...routes, reg1: "0x65" }, `goto_table:${VPC_TABLES.ingressTrack.number}`],
      [2, { ip: true, reg1: "0x66" }, "drop"],
      [19, { ...routes, reg1: "0x66" }, "drop"],
    ]);
  });

  it("neither sends to nor takes from an exchange it is not plugged into", () => {
    const flows = render([ab], a, { ...portsOf(a), uplink: undefined });
    expect(inTable(flows, "peering").map(({ match, actions }) => [match, actions])).toEqual([
      [{}, formatActions(dropFor("notAdmitted"))],
      [{ ip: true, reg1: "0" }, `goto_table:${VPC_TABLES.ingressTrack.number}`],
    ]);
    expect(inTable(flows, "exchangeIngress").map(({ actions }) => actions)).toEqual(["drop"]);
  });

  it("has one flow a direction for each pair of blocks", () => {
    const wide = { ...a, blocks: [...a.blocks, cidr("10.11.0.0/16")] };
    const flows = render([peering(101, wide, b)], wide);
    const pairs = inTable(peeringFlowsOf(flows, 101), "peering").map(
      ({ match }) => `${match["nw_src"]} ${match["nw_dst"]}`,
    );
    expect(pairs).toEqual(["10.10.0.0/16 10.20.0.0/16", "10.11.0.0/16 10.20.0.0/16"]);
  });

  it("gives a longer prefix the higher priority, below the gateways' answers", () => {
    const halves = ["10.128.0.0/9", "0.0.0.0/0", "10.10.1.77/32"].map((text) => cidr(text));
    const flows = render([], { ...a, blocks: halves });
    const routes = inTable(flows, "route").map((flow) => [flow.priority, flow.match]);
    expect(routes).toEqual([
      [0, {}],
      [200, expect.objectContaining({ nw_dst: "10.10.1.1", icmp: true })],
      [10, { ip: true, nw_dst: "10.128.0.0/9" }],
      [1, { ip: true }],
      [33, { ip: true, nw_dst: "10.10.1.77" }],
    ]);
  });

  it("refuses intent in which two flows would have one identity", () => {
    const twins = [ab, peering(102, a, b)];
    expect(() => render(twins)).toThrow(PipelineError);
  });

  it("refuses blocks that are not IPv4", () => {
    expect(() => render([], { ...a, blocks: [cidr("fd00::/48")] })).toThrow("not an IPv4 block");
  });
});

describe("the exchange", () => {
  const uplinks = uplinksOf([a, b, c]);

  it("drops by default", () => {
    expect(exchangeBaseFlows(OPTIONS)).toMatchObject([
      { table: 0, priority: 0, match: {}, actions: "drop" },
    ]);
  });

  it("admits both directions, each by port, MACs and blocks", () => {
    const cookie = 0xabcdef44_00000065n;
    const [there, back, ...more] = exchangeFlows([ab], uplinks, OPTIONS);
    expect(more).toEqual([]);
    expect(there).toEqual({
      table: 0,
      priority: 100,
      cookie,
      match: {
        ip: true,
        in_port: "1",
        dl_src: routerMac(1),
        dl_dst: routerMac(2),
        nw_src: "10.10.0.0/16",
        nw_dst: "10.20.0.0/16",
      },
      actions: "output:2",
    });
    expect(back).toMatchObject({ match: { in_port: "2", nw_src: "10.20.0.0/16" }, cookie });
  });

  it("admits nothing before admission, nor while an uplink is unknown", () => {
    const pending = peering(101, a, b, { admitted: false });
    expect(exchangeFlows([pending], uplinks, OPTIONS)).toEqual([]);
    expect(exchangeFlows([ab], uplinksOf([a]), OPTIONS)).toEqual([]);
    expect(exchangeFlows([ab], uplinksOf([b]), OPTIONS)).toEqual([]);
  });

  it("keeps peerings apart by cookie", () => {
    const flows = exchangeFlows([ab, peering(102, b, c)], uplinks, OPTIONS);
    expect(peeringFlowsOf(flows, 101)).toEqual(exchangeFlows([ab], uplinks, OPTIONS));
    expect(peeringFlowsOf(flows, 103)).toEqual([]);
  });
});
