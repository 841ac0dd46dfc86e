import { describe, expect, it } from "vitest";
import {
  type Action,
  gotoTable,
  output,
  resubmit,
  setField,
} from "../../../src/openflow/action.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { declareTables, type Table } from "../../../src/pipeline/table.js";
import { distinctFlows, PipelineError, tableFlow } from "../../../src/pipeline/table-flow.js";
import { EXCHANGE_TABLES, VPC_TABLES } from "../../../src/pipeline/tables.js";

describe("the tables of a VPC bridge", () => {
  it("have numbers in order of declaration", () => {
    expect(Object.values(VPC_TABLES).map(({ name, number }) => `${number} ${name}`)).toEqual([
      "0 classify",
      "97 spoofGuard",
      "98 arp",
      "99 route",
      "100 egressTrack",
      "101 egressState",
      "102 egressOther",
      "103 egressVerdict",
      "104 egressRoom",
      "105 peering",
      "106 exchangeIngress",
      "107 ingressSubnet",
      "108 returnRoute",
      "109 ingressTrack",
      "110 ingressState",
      "111 ingressOther",
      "112 ingressVerdict",
      "113 ingressRoom",
      "114 ingressAdmission",
      "115 deliver",
      "116 continuity",
      "117 memberships",
      "118 rules",
      "119 drops",
    ]);
  });

  it("never lead back from the exchange to routing: a peer's packet goes no further", () => {
    const reached = new Set<string>();
    const tables = new Map(Object.entries(VPC_TABLES));
    const visit = (name: string): void => {
      reached.add(name);
      const { next = [], calls = [] } = tables.get(name) ?? {};
      for (const other of [...calls, ...next]) visit(other);
    };
    visit("exchangeIngress");
    expect([...reached]).toEqual([
      "exchangeIngress",
      "ingressSubnet",
      "returnRoute",
      "ingressTrack",
      "ingressState",
      "continuity",
      "memberships",
      "rules",
      "ingressOther",
      "ingressVerdict",
      "ingressRoom",
      "ingressAdmission",
      "deliver",
      "drops",
    ]);
  });

  it("judge nothing before it has a route, and deliver nothing that is not judged", () => {
    const {
      route,
      egressTrack,
      ingressTrack,
      ingressVerdict,
      ingressRoom,
      ingressAdmission,
      ...others
    } = VPC_TABLES;
    expect(route.next).toEqual(["egressTrack", "drops"]);
    expect(egressTrack.next).toEqual(["egressState"]);
    expect(ingressTrack.next).toEqual(["ingressState"]);
    expect(ingressVerdict.next).toContain("ingressAdmission");
    expect(ingressRoom.next).toContain("ingressAdmission");
    expect(ingressAdmission.next).toEqual(["deliver"]);
    const judged = [ingressVerdict.name, ingressRoom.name];
    const ways = Object.values(VPC_TABLES).filter(({ next }) => next.includes("ingressAdmission"));
    expect(ways.map(({ name }) => name)).toEqual(judged);
    expect(Object.values(others).filter(({ next }) => next.includes("deliver"))).toEqual([]);
  });

  it("come back from where they look, and pass nothing on there", () => {
    for (const { calls } of Object.values(VPC_TABLES)) {
      for (const name of calls) {
        const called = Object.values(VPC_TABLES).find((table) => table.name === name);
        expect(called?.next).toEqual([]);
        expect(called?.actions).not.toContain("output");
      }
    }
  });

  it("leave the exchange only one, numbered 0", () => {
    expect(Object.values(EXCHANGE_TABLES).map(({ number }) => number)).toEqual([0]);
  });
});

describe("declareTables", () => {
  const table = { purpose: "", matches: [], actions: [] };

  it("refuses a way back, and a table that leads to itself", () => {
    const tables = {
      first: { ...table, next: [] },
      second: { ...table, next: ["first"] },
    } as const;
    expect(() => declareTables(tables)).toThrow("table second goes back to first");
    expect(() => declareTables({ one: { ...table, next: ["one"] } })).toThrow("goes back to one");
  });

  it("refuses to look back as well, and to look into the table itself", () => {
    const tables = {
      first: { ...table, next: [] },
      second: { ...table, next: [], calls: ["first"] },
    } as const;
    expect(() => declareTables(tables)).toThrow("table second goes back to first");
    const selfish = { one: { ...table, next: [], calls: ["one"] } } as const;
    expect(() => declareTables(selfish)).toThrow("table one goes back to one");
  });

  it("takes a table that declares no looking for one that does not look", () => {
    const { first, second } = declareTables({
      first: { ...table, next: [], calls: ["second"] },
      second: { ...table, next: [] },
    });
    expect([first.calls, second.calls]).toEqual([["second"], []]);
  });
});

describe("tableFlow", () => {
  const spec = { priority: 100, cookie: 1n, match: {}, actions: [] };

  it("builds what the table declares", () => {
    const match = { ip: true, nw_dst: "10.0.0.1" } as const;
    const actions = [setField("eth_dst", "02:00:00:00:00:01"), output(4)];
    const flow = tableFlow(VPC_TABLES, VPC_TABLES.deliver, { ...spec, match, actions });
    expect(flow).toEqual({
      table: VPC_TABLES.deliver.number,
      priority: 100,
      cookie: 1n,
      match,
      actions: "set_field:02:00:00:00:00:01->eth_dst,output:4",
    });
  });

  it.each([
    ["match on tp_dst", { ...spec, match: { tp_dst: "80" } }],
    ["action output", { ...spec, actions: [output(4)] }],
    ["next table deliver", { ...spec, actions: [gotoTable(VPC_TABLES.deliver.number)] }],
    ["next table 9", { ...spec, actions: [gotoTable(9)] }],
  ])("refuses an undeclared %s", (what, wrong) => {
    const build = () => tableFlow(VPC_TABLES, VPC_TABLES.classify, wrong);
    expect(build).toThrow(PipelineError);
    expect(build).toThrow(`table classify declares no ${what}`);
  });
});

describe("tableFlow, of looking into a table", () => {
  const spec = { priority: 100, cookie: 1n, match: {}, actions: [] };
  const { egressState, memberships } = VPC_TABLES;
  const build = (table: Table, action: Action) => () =>
    tableFlow(VPC_TABLES, table, { ...spec, actions: [action] });

  it("allows what the table declares", () => {
    expect(build(egressState, resubmit(memberships.number))().actions).toBe(
      `resubmit(,${memberships.number})`,
    );
  });

  it("refuses what it does not, although it may continue there, and the other way round", () => {
    const { rules, drops } = VPC_TABLES;
    const refused = "table egressState declares no look into table";
    expect(build(egressState, resubmit(drops.number))).toThrow(`${refused} drops`);
    expect(build(egressState, resubmit(rules.number))).toThrow(`${refused} rules`);
    expect(build(egressState, gotoTable(memberships.number))).toThrow("no next table memberships");
  });
});

describe("distinctFlows", () => {
  const flow: Flow = { table: 1, priority: 2, cookie: 3n, match: { ip: true }, actions: "drop" };

  it("refuses two flows with one identity, whatever their value", () => {
    expect(() => distinctFlows([flow, { ...flow, cookie: 4n, actions: "output:1" }])).toThrow(
      new PipelineError("two flows for 1|2|ip"),
    );
  });

  it("passes others through", () => {
    const flows = [flow, { ...flow, priority: 3 }];
    expect(distinctFlows(flows)).toEqual(flows);
  });
});
