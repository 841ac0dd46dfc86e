import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Principal } from "../../../src/domain/principal.js";
import type { ResourceEvent } from "../../../src/domain/resources.js";
import { authenticate } from "../../../src/services/authentication.js";
import {
  ChangeBell,
  followEvents,
  type StreamOptions,
  type StreamTiming,
} from "../../../src/services/event-stream.js";
import { createVpc } from "../../../src/services/vpcs.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

const NEVER = 3_600_000;

describe.each(databaseEngines)("following events on $name", (engine) => {
  let api: TestApi;
  let caller: Principal;
  const stop = new AbortController();

  beforeAll(async () => {
    api = await startTestApi(engine);
    caller = await authenticate(api.context, (await api.createTenantWithKey("admin")).token);
  });
  afterAll(async () => {
    stop.abort();
    await api.stop();
  });

  function follow(
    timing: StreamTiming,
    options: Partial<Pick<StreamOptions, "recheck" | "bell" | "after">> = {},
  ) {
    const recheck = async () => caller;
    const defaults = { after: Number.MAX_SAFE_INTEGER, recheck, bell: new ChangeBell() };
    const { signal } = stop;
    return followEvents(api.context, caller, { ...defaults, ...options, signal, timing });
  }

  test("says that nothing happened when nothing did for a while", async () => {
    const batches = follow({ poll: 5, heartbeat: 30, recheck: NEVER });
    for (let beat = 0; beat < 3; beat += 1) {
      const asked = performance.now();
      expect(await batches.next()).toEqual({ done: false, value: [] });
      expect(performance.now() - asked).toBeGreaterThanOrEqual(20);
    }
    await batches.return(undefined);
  });

  test("looks at once when the bell rings", async () => {
    const bell = new ChangeBell();
    const after = await latestId();
    const batches = follow(
      { poll: NEVER, heartbeat: NEVER, recheck: NEVER },
      {
        bell,
        after,
      },
    );
    const next = batches.next();
    const vpc = await createVpc(api.context, caller, { cidrBlock: "10.0.0.0/16" });
    bell.ring();
    const { value } = await next;
    expect((value ?? []).map((event: ResourceEvent) => event.resourceId)).toEqual([vpc.id]);
    await batches.return(undefined);
  });

  test("ends when the credential is refused, and shows nothing from then on", async () => {
    const silent = follow({ poll: 5, heartbeat: NEVER, recheck: 10 }, { recheck: refused });
    expect(await silent.next()).toEqual({ done: true, value: undefined });
    const busy = follow(
      { poll: 5, heartbeat: NEVER, recheck: NEVER },
      { recheck: refused, after: 0 },
    );
    expect(await busy.next()).toEqual({ done: true, value: undefined });
  });

  test("reads as much as there is, a part at a time", async () => {
    const rows = Array.from({ length: 250 }, (_, i) => ({
      id: 1_000_000 + i,
      actorKind: "system",
      resourceType: "vpc",
      resourceId: `vpc-${i}`,
      action: "update",
      tenantId: caller.tenantId ?? "",
    }));
    await api.context.db.event.createMany({ data: rows });
    const batches = follow({ poll: NEVER, heartbeat: NEVER, recheck: NEVER }, { after: 999_999 });
    const seen: number[] = [];
    while (seen.length < rows.length) {
      const { value } = await batches.next();
      seen.push(...(value ?? []).map((event: ResourceEvent) => event.id));
    }
    expect(seen).toEqual(rows.map(({ id }) => id));
    await batches.return(undefined);
  });

  async function latestId(): Promise<number> {
    const { value } = await api.context.db.generation.findFirstOrThrow();
    return Number(value);
  }
});

async function refused(): Promise<undefined> {
  return undefined;
}
