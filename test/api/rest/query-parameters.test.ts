import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  changesSomething,
  type OperationId,
  operationIds,
  routeEntry,
} from "../../../src/api/rest/route-table.js";
import { type Answer, startTestApi, type TestApi } from "../../support/api.js";
import { answerEngines } from "../../support/databases.js";
import {
  callWrite,
  dumpDatabase,
  EVERY_WRITE,
  makeWriteWorld,
  type WriteWorld,
} from "../../support/every-write.js";

const isWrite = (operation: OperationId) => changesSomething(routeEntry(operation));
const writes = operationIds().filter(isWrite);
const others = operationIds().filter((operation) => !isWrite(operation));

/** Whatever is no parameter, however near it comes to one. */
const UNKNOWN = [
  "unknown=1",
  "unknown",
  "=1",
  "DryRun=true",
  "dryrun=true",
  "dry_run=true",
  "dryRun%20=true",
  "dryRun[]=true",
  "Wait=1",
  "__proto__=x",
  "constructor=x",
  "limit=1&unknown=1",
];

/** Values that say neither yes nor no, of what is a parameter or might be one. */
const MEANINGLESS = [
  "dryRun=yes",
  "dryRun=TRUE",
  "dryRun=1",
  "dryRun=",
  "dryRun",
  "dryRun=true&dryRun=true",
  "dryRun=true&dryRun=false",
  "dryRun=true;unknown",
  "dryRun=%20true",
];

describe.each(answerEngines)("query parameters on $name", (engine) => {
  let api: TestApi;
  let world: WriteWorld;
  let before: string;

  beforeAll(async () => {
    api = await startTestApi(engine, { sweeping: false });
    world = await makeWriteWorld(api);
    before = await dumpDatabase(api);
  });
  afterAll(() => api.stop());

  test("every write of the route table is tried", () => {
    expect(Object.keys(EVERY_WRITE).sort()).toEqual([...writes].sort());
  });

  test.each(writes)("%s refuses what it does not know, and does nothing", async (operation) => {
    for (const query of [...UNKNOWN, ...MEANINGLESS]) {
      const answer = await callWrite(api, world, operation, `?${query}`);
      expectRefused(answer, `${operation}?${query}`);
    }
    expect(await dumpDatabase(api)).toBe(before);
  });

  test.each(others)("%s refuses what it does not know", async (operation) => {
    for (const query of [...UNKNOWN, "dryRun=true"]) {
      expectRefused(await ask(operation, query), `${operation}?${query}`);
    }
  });

  function ask(operation: OperationId, query: string): Promise<Answer> {
    const { method, url } = routeEntry(operation);
    const { vpc, eni, tenant, table, group, rule, subnet, active } = world.ids;
    const ids: Record<string, string> = {
      tenants: tenant,
      vpcs: vpc,
      subnets: subnet,
      "network-interfaces": eni,
      "route-tables": table,
      "security-groups": group,
      "vpc-peerings": active,
    };
    const path = url
      .replace(/(?<=\/([a-z-]+)\/):id/, (_, kind: string) => ids[kind] ?? "")
      .replace(":ruleId", rule);
    const body = method === "POST" ? { from: eni, to: "10.0.0.9", protocol: "icmp" } : undefined;
    const token = operation === "explainReachability" ? world.owner : api.operatorToken;
    return api.call(token, method, `${path}?${query}`, body);
  }
});

function expectRefused({ status, body }: Answer, what: string): void {
  expect(status, `${what}: ${JSON.stringify(body)}`).toBe(400);
  expect(body.code, what).toBe("ValidationError");
  expect(body.errors[0], what).toMatchObject({ in: "query" });
}
