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
      "65 spoofGuard",
      "66 arp",
      "67 route",
      "68 egressTrack",
      "69 egressState",
      "70 egressOther",
      "71 egressVerdict",
      "72 egressRoom",
      "73 peering",
      "74 exchangeIngress",
      "75 ingressSubnet",
      "76 returnRoute",
      "77 ingressTrack",
      "78 ingressState",
      "79 ingressOther",
      "80 ingressVerdict",
      "81 ingressRoom",
      "82 deliver",
      "83 continuity",
      "84 memberships",
      "85 rules",
      "86 drops",
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
      "deliver",
      "drops",
    ]);
  });

  it("judge nothing before it has a route, and deliver nothing that is not judged", () => {
    const { route, egressTrack, ingressTrack, ingressVerdict, ingressRoom, ...others } = VPC_TABLES;
    expect(route.next).toEqual(["egressTrack", "drops"]);
    expect(egressTrack.next).toEqual(["egressState"]);
    expect(ingressTrack.next).toEqual(["ingressState"]);
    expect(ingressVerdict.next).toContain("deliver");
    expect(ingressRoom.next).toContain("deliver");
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
    ["next table 99", { ...spec, actions: [gotoTable(99)] }],
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
