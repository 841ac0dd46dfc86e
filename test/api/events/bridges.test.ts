import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Outcome } from "../../../src/backends/backend.js";
import { BridgeJournal } from "../../../src/reconcile/bridge-journal.js";
import { databaseEngines, type FreshDatabase } from "../../support/databases.js";
import {
  type ListeningApp,
  listedEvents,
  newTenant,
  newVpc,
  OPERATOR_TOKEN,
  startApp,
  type TenantKey,
} from "./app.js";
import { openStream } from "./sse-client.js";

const silent = { info() {}, warn() {} };
const DRIFT = { bridge: "br1", deleted: ["f", "g"], altered: [], added: ["h"], settings: [] };
const FLOWS = { missing: [], changed: [], unexpected: [] };
const DIFF = { bridge: "br1", vpcId: "vpc-1", ...FLOWS, settings: [], error: null };
const FINE: Outcome = {
  bridges: [],
  failedVpcs: new Map(),
  exchangeError: undefined,
  installedPeerings: [],
  removedPeerings: [],
};

describe.each(databaseEngines)("events of bridges on $name", (engine) => {
  let fresh: FreshDatabase;
  let app: ListeningApp;
  let tenant: TenantKey;
  let journal: BridgeJournal;

  beforeEach(async () => {
    fresh = await engine.fresh();
    app = await startApp(fresh);
    tenant = await newTenant(app, "admin");
    const { db } = app.context;
    journal = new BridgeJournal({ db, log: silent, exchangeName: () => "brx" });
  });
  afterEach(async () => {
    await app.stop();
    await fresh.cleanup();
  });

  test("are the operator's, in the list and on the stream, and no tenant's", async () => {
    const mine = await openStream(app.url, tenant.token);
    const stream = await openStream(app.url, OPERATOR_TOKEN);
    journal.noteRepair([DRIFT], [{ ...DIFF, foreign: [] }], FINE);
    journal.noteForeign([{ ...DIFF, foreign: ["x", "y"] }]);
    journal.noteForeign([{ ...DIFF, foreign: [] }]);
    await journal.close();
    const id = await newVpc(app, tenant.token, "10.0.0.0/16");

    const frames = await stream.take(4);
    expect(frames.map(({ event }) => event)).toEqual([
      "bridge.repair",
      "bridge.foreign-flows-appear",
      "bridge.foreign-flows-vanish",
      "vpc.create",
    ]);
    expect(frames.map(({ data }) => [data.before, data.after]).slice(0, 3)).toEqual([
      ["drifted: 2 deleted, 0 altered, 1 added", "programmed"],
      [null, "x\ny"],
      ["x\ny", null],
    ]);
    expect((await listedEvents(app, OPERATOR_TOKEN)).slice(-4)).toEqual(
      frames.map(({ data }) => data),
    );
    expect((await mine.take(1))[0]?.data.resource).toEqual({ type: "vpc", id });
    const seen = (await listedEvents(app, tenant.token)).map(({ resource }) => resource.type);
    expect(seen).not.toContain("bridge");
    for (const each of [mine, stream]) each.leave();
  });

  test("tell of settings: put right with what was found, and reported once for each change", async () => {
    const setting = { object: "bridge br1", setting: "stp_enable", found: "true" };
    const nothing = { ...DRIFT, deleted: [], added: [] };
    const drift = { ...nothing, settings: [{ ...setting, wanted: "false" }] };
    journal.noteRepair([drift], [{ ...DIFF, foreign: [] }], FINE);
    const foreign = { object: "port tap0", setting: "qos", found: "q", wanted: null };
    const seen = { ...DIFF, foreign: [], settings: [foreign, { ...setting, wanted: "false" }] };
    for (const diff of [seen, seen, { ...DIFF, foreign: [] }]) journal.noteSettings([diff]);
    await journal.close();
    const last = (await listedEvents(app, OPERATOR_TOKEN)).slice(-3);
    expect(last.map(({ action, before, after }) => [action, before, after])).toEqual([
      ["repair", "settings changed:\nbridge br1 stp_enable=true (wanted false)", "programmed"],
      ["foreign-settings-appear", null, "port tap0 qos=q"],
      ["foreign-settings-vanish", "port tap0 qos=q", null],
    ]);
  });

  test("take nothing for gone on a bridge that could not be looked at", async () => {
    const before = (await listedEvents(app, OPERATOR_TOKEN)).length;
    journal.noteForeign([{ ...DIFF, foreign: ["x"] }]);
    journal.noteForeign([{ ...DIFF, foreign: [], unread: true, error: "hangs" }]);
    await journal.close();
    expect((await listedEvents(app, OPERATOR_TOKEN)).length).toBe(before + 1);
    expect(journal.foreignFlows).toBe(1);
  });

  test("say of a repair that came to nothing that it did", async () => {
    const failedVpcs = new Map([["vpc-1", "no such port"]]);
    journal.noteRepair([DRIFT], [{ ...DIFF, foreign: [] }], { ...FINE, failedVpcs });
    journal.noteRepair([DRIFT], [{ ...DIFF, foreign: [] }], undefined);
    await journal.close();
    const last = (await listedEvents(app, OPERATOR_TOKEN)).slice(-2);
    expect(last.map(({ after }) => after)).toEqual(["error", "error"]);
  });

  test("are one for each pass, however many flows there are", async () => {
    const before = (await listedEvents(app, OPERATOR_TOKEN)).length;
    const foreign = Array.from({ length: 500 }, (_, index) => `flow ${index}`);
    journal.noteForeign([{ ...DIFF, foreign }]);
    await journal.close();
    const events = (await listedEvents(app, OPERATOR_TOKEN)).slice(before);
    expect(events).toHaveLength(1);
    const lines = events[0]?.after?.split("\n") ?? [];
    expect([lines[0], lines.length, lines.at(-1)]).toEqual(["flow 0", 21, "and 480 more"]);
  });
});
