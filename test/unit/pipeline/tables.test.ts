import { describe, expect, it } from "vitest";
import { gotoTable, output, setField } from "../../../src/openflow/action.js";
import type { Flow } from "../../../src/openflow/flow.js";
import { declareTables } from "../../../src/pipeline/table.js";
import { distinctFlows, PipelineError, tableFlow } from "../../../src/pipeline/table-flow.js";
import { EXCHANGE_TABLES, VPC_TABLES } from "../../../src/pipeline/tables.js";

describe("the tables of a VPC bridge", () => {
  it("have numbers in order of declaration", () => {
    expect(Object.values(VPC_TABLES).map(({ name, number }) => `${number} ${name}`)).toEqual([
      "0 classify",
      "1 spoofGuard",
      "2 arp",
      "3 route",
      "4 egressPolicy",
      "5 peering",
      "6 exchangeIngress",
      "7 ingressSubnet",
      "8 returnRoute",
      "9 ingressPolicy",
      "10 deliver",
    ]);
  });

  it("never lead back from the exchange to routing: a peer's packet goes no further", () => {
    const reached = new Set<string>();
    const tables = new Map(Object.entries(VPC_TABLES));
    const visit = (name: string): void => {
      reached.add(name);
      for (const next of tables.get(name)?.next ?? []) visit(next);
    };
    visit("exchangeIngress");
    expect([...reached]).toEqual([
      "exchangeIngress",
      "ingressSubnet",
      "returnRoute",
      "ingressPolicy",
      "deliver",
    ]);
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
});

describe("tableFlow", () => {
  const spec = { priority: 100, cookie: 1n, match: {}, actions: [] };

  it("builds what the table declares", () => {
    const match = { ip: true, nw_dst: "10.0.0.1" } as const;
    const actions = [setField("eth_dst", "02:00:00:00:00:01"), output(4)];
    const flow = tableFlow(VPC_TABLES, VPC_TABLES.deliver, { ...spec, match, actions });
    expect(flow).toEqual({
      table: 10,
      priority: 100,
      cookie: 1n,
      match,
      actions: "set_field:02:00:00:00:00:01->eth_dst,output:4",
    });
  });

  it.each([
    ["match on tp_dst", { ...spec, match: { tp_dst: "80" } }],
    ["action output", { ...spec, actions: [output(4)] }],
    ["next table deliver", { ...spec, actions: [gotoTable(10)] }],
    ["next table 99", { ...spec, actions: [gotoTable(99)] }],
  ])("refuses an undeclared %s", (what, wrong) => {
    const build = () => tableFlow(VPC_TABLES, VPC_TABLES.classify, wrong);
    expect(build).toThrow(PipelineError);
    expect(build).toThrow(`table classify declares no ${what}`);
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
