import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseIp } from "../../../src/domain/cidr.js";
import type { DataPlaneView } from "../../../src/domain/data-plane.js";
import type { Principal } from "../../../src/domain/principal.js";
import type { Probe, Trace, TraceOutcome } from "../../../src/domain/reachability/trace.js";
import { authenticate } from "../../../src/services/authentication.js";
import {
  explainReachability,
  type Plane,
  type ReachabilityAnswer,
} from "../../../src/services/reachability/answer.js";
import { startTestApi, type TenantKey, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";
import { type Owned, Scene } from "../../support/scene.js";

interface Site extends Owned {
  readonly eni: string;
  readonly ip: string;
}

/** A switch that does what a test says, and counts how often it is asked. */
class ScriptedSwitch implements Plane {
  readonly probes: Probe[] = [];
  readonly view: DataPlaneView;
  readonly #trace: (probe: Probe) => TraceOutcome;

  constructor(
    trace: (probe: Probe) => TraceOutcome,
    { unplugged = [], dead = [], outage, state = "programmed" }: Partial<Circumstances> = {},
  ) {
    this.#trace = trace;
    this.view = {
      backend: "ovs",
      status: () => ({ state, generation: 1, observedGeneration: 1 }),
      isMade: () => true,
      removal: () => ({ state, generation: 1, observedGeneration: 1 }),
      binding: (id) => {
        if (unplugged.includes(id)) return { kind: "unbound" };
        if (dead.includes(id)) return { kind: "dead", port: "p", message: "port p is dead" };
        return { kind: "bound", port: "p" };
      },
      portWarnings: () => [],
      outage: () => outage,
      deadPorts: () => dead.length,
      bridgeName: (number) => `b${number}`,
      peeringFlows: () => [],
      bridges: () => [],
      dropsOf: async () => null,
      surveyDrops: async () => null,
      connections: async () => null,
      fullInterfaces: () => null,
    };
  }

  readonly tracing = {
    trace: async (probe: Probe) => {
      this.probes.push(probe);
      return this.#trace(probe);
    },
  };
}

interface Circumstances {
  readonly unplugged: readonly string[];
  readonly dead: readonly string[];
  readonly outage: string | undefined;
  readonly state: "programmed" | "pending";
}

function traceOf(
  delivered: Trace["delivered"],
  dropped: Trace["dropped"],
  ...vpcIds: (string | null)[]
): Trace {
  const steps = vpcIds.map((vpcId) => ({ bridge: `of ${vpcId}`, vpcId, stages: [] }));
  return { steps, delivered, dropped };
}

/** Does as intent says, through these bridges. */
function obedient(...vpcIds: (string | null)[]) {
  return ({ from, answering }: Probe): TraceOutcome => {
    const reaches = answering && { networkInterfaceId: answering.eni.id };
    const there = traceOf(reaches, reaches ? undefined : "ingressPolicy", ...vpcIds);
    const back = traceOf({ networkInterfaceId: from.eni.id }, undefined, ...vpcIds);
    return { kind: "traced", there, back: reaches && back };
  };
}

const OPENING = { kind: "ports", protocol: 6, port: 443 } as const;

describe.each(databaseEngines)("what a switch says to it, on $name", (engine) => {
  let api: TestApi;
  let scene: Scene;
  let caller: Principal;
  /** A and B are peers, and two tenants'. */
  let a: Site;
  let second: string;
  let b: Site;

  async function site(key: TenantKey, octet: number): Promise<Site> {
    const owned = await scene.vpc(key, `10.${octet}.0.0/16`);
    const subnetId = await scene.subnet(owned, `10.${octet}.1.0/24`);
    const eni = await scene.must(201, key, "POST", "/network-interfaces", { subnetId });
    return { ...owned, eni: eni.id, ip: eni.privateIp };
  }

  const ask = (plane: Plane, to: string): Promise<ReachabilityAnswer> =>
    explainReachability(api.context, plane, caller, { from: a.eni, to, opening: OPENING });

  const plan = (plane: Plane, to: string): Promise<ReachabilityAnswer> => {
    const query = { from: a.eni, to, opening: OPENING, plan: true };
    return explainReachability(api.context, plane, caller, query);
  };

  async function letIn({ key, vpcId }: Owned, cidrBlock: string): Promise<void> {
    const { items } = await scene.must(200, key, "GET", `/security-groups?vpcId=${vpcId}`);
    const rule = { direction: "ingress", protocol: "tcp", cidrBlock };
    await scene.must(201, key, "POST", `/security-groups/${items[0].id}/rules`, rule);
  }

  beforeAll(async () => {
    api = await startTestApi(engine);
    scene = new Scene(api);
    const one = await api.createTenantWithKey("admin");
    const two = await api.createTenantWithKey("admin");
    caller = await authenticate(api.context, one.token);
    [a, b] = [await site(one, 1), await site(two, 2)];
    const subnets = await scene.must(200, one, "GET", `/subnets?vpcId=${a.vpcId}`);
    const made = { subnetId: subnets.items[0].id };
    second = (await scene.must(201, one, "POST", "/network-interfaces", made)).id;
    await scene.peer(a, b);
    await letIn(b, "10.1.0.0/16");
  });

  afterAll(() => api.stop());

  it("confirms it, when it does the same", async () => {
    const plane = new ScriptedSwitch(obedient(a.vpcId));
    const { verdict, confirmation } = await ask(plane, second);
    expect(verdict.stop).toBeUndefined();
    expect(confirmation).toMatchObject({ confirmed: true, drift: false, message: undefined });
    expect(plane.probes).toMatchObject([
      { from: { vpcId: a.vpcId, eni: { id: a.eni } }, peering: 0, unicast: true },
    ]);
  });

  it("is asked again before anybody hears of drift", async () => {
    const plane = new ScriptedSwitch(() => ({
      kind: "traced",
      there: traceOf(undefined, "route", a.vpcId),
      back: undefined,
    }));
    const { verdict, confirmation } = await ask(plane, second);
    expect(verdict.stop, "intent is what it was").toBeUndefined();
    expect(confirmation).toMatchObject({ confirmed: false, drift: true });
    expect(confirmation.message).toMatch(/not what intent asks for/);
    expect(confirmation.there).toHaveLength(1);
    expect(plane.probes).toHaveLength(2);
  });

  it("differs too, when it stops the same for another reason", async () => {
    const plane = new ScriptedSwitch(() => ({
      kind: "traced",
      there: traceOf(undefined, "spoofGuard", a.vpcId),
      back: undefined,
    }));
    expect((await ask(plane, "10.9.9.9")).confirmation.drift).toBe(true);
  });

  it("is given time, while it has yet to follow", async () => {
    let late = 3;
    const follow = obedient(a.vpcId);
    const plane = new ScriptedSwitch(
      (probe) => {
        late -= 1;
        if (late === 0) return follow(probe);
        return { kind: "traced", there: traceOf(undefined, "receiver"), back: undefined };
      },
      { state: "pending" },
    );
    expect((await ask(plane, second)).confirmation).toMatchObject({ confirmed: true });
    expect(plane.probes).toHaveLength(3);
  });

  it("is away, which is neither one nor the other", async () => {
    const plane = new ScriptedSwitch(() => ({ kind: "untraced", why: "it does not answer" }));
    const { confirmation } = await ask(plane, second);
    expect(confirmation).toMatchObject({ confirmed: false, drift: false, there: [] });
    expect(confirmation.message).toBe("it does not answer");
  });

  it("is not asked for a sender that it has no port for", async () => {
    const plane = new ScriptedSwitch(obedient(), { unplugged: [a.eni] });
    const { verdict, confirmation } = await ask(plane, second);
    expect(verdict.stop?.code).toBe("senderNotPluggedIn");
    expect([confirmation.confirmed, plane.probes]).toEqual([false, []]);
  });

  it("leaves open what intent says, for a sender that has no port", async () => {
    const unplugged = [a.eni, second];
    const { planned } = await ask(new ScriptedSwitch(obedient(), { unplugged }), second);
    expect(planned).toMatchObject({ stop: undefined, answering: { networkInterfaceId: second } });
    const nowhere = await ask(new ScriptedSwitch(obedient(), { unplugged }), "10.9.9.9");
    expect(nowhere.verdict.stop?.code).toBe("senderNotPluggedIn");
    expect(nowhere.planned?.stop?.code).toBe("noRoute");
  });

  it.each([
    ["an unplugged receiver", () => ({ unplugged: [second] })],
    ["a dead port", () => ({ dead: [second] })],
    ["an outage", () => ({ outage: "it is frozen" })],
  ])("leaves open what intent says, with %s", async (_, circumstances) => {
    const { verdict, planned } = await ask(
      new ScriptedSwitch(obedient(a.vpcId), circumstances()),
      second,
    );
    expect(verdict.stop).toBeDefined();
    expect(planned).toMatchObject({ stop: undefined });
  });

  it("says of what intent stops nothing else", async () => {
    const { planned } = await ask(new ScriptedSwitch(obedient(a.vpcId)), "10.9.9.9");
    expect(planned).toBeUndefined();
    const unplugged = [b.eni];
    const stranger = await ask(new ScriptedSwitch(obedient(a.vpcId), { unplugged }), b.ip);
    expect(stranger.verdict.stop?.code).toBe("farSide");
    expect(stranger.planned).toBeUndefined();
  });

  it("leaves a stranger's side as it is, also in a plan", async () => {
    const circumstances = [{ unplugged: [b.eni] }, { dead: [b.eni] }];
    for (const each of circumstances) {
      const plane = new ScriptedSwitch(obedient(a.vpcId), each);
      const { verdict, planned } = await plan(plane, b.ip);
      expect(verdict).toEqual((await ask(plane, b.ip)).verdict);
      expect(verdict.stop?.code).toBe("farSide");
      expect(planned).toBeUndefined();
    }
  });

  it("is not asked about a plan, which has all own interfaces plugged in", async () => {
    const unplugged = [a.eni, second];
    const plane = new ScriptedSwitch(obedient(), { unplugged, outage: "it is frozen" });
    const all = new ScriptedSwitch(obedient(a.vpcId));
    for (const to of [second, b.ip, "10.1.1.1", "10.9.9.9", "10.2.9.9"]) {
      const { verdict, planned, confirmation } = await plan(plane, to);
      expect(verdict).toEqual((await ask(all, to)).verdict);
      expect(planned).toBeUndefined();
      expect(confirmation).toMatchObject({ confirmed: false, drift: false, there: [], back: [] });
      expect(confirmation.message).toContain("plan");
    }
    expect(plane.probes).toEqual([]);
  });

  it("is not asked for a sender whose port is dead, nor while nothing passes", async () => {
    for (const [circumstances, code] of [
      [{ dead: [a.eni] }, "senderPortDead"],
      [{ outage: "it is frozen" }, "switchOutage"],
    ] as const) {
      const plane = new ScriptedSwitch(obedient(), circumstances);
      const { verdict, confirmation } = await ask(plane, second);
      expect(verdict.stop?.code).toBe(code);
      expect(confirmation).toMatchObject({ confirmed: false, drift: false });
      expect(plane.probes).toEqual([]);
    }
  });

  it("cannot confirm what comes out of a dead port", async () => {
    const { verdict, confirmation } = await ask(
      new ScriptedSwitch(obedient(a.vpcId), { dead: [second] }),
      second,
    );
    expect(verdict.stop?.code).toBe("receiverPortDead");
    expect(confirmation).toMatchObject({ confirmed: false, drift: false });
    expect(confirmation.there).toHaveLength(1);
  });

  it("says no more of a stranger's dead port than of one that is not there", async () => {
    const trace = () => ({
      kind: "traced" as const,
      there: traceOf(undefined, "receiver"),
      back: undefined,
    });
    const dead = await ask(new ScriptedSwitch(trace, { dead: [b.eni] }), b.ip);
    expect(dead).toEqual(await ask(new ScriptedSwitch(trace, { unplugged: [b.eni] }), b.ip));
    expect(dead.verdict.stop?.code).toBe("farSide");
  });

  it("is not asked to find an interface that packets are not routed to", async () => {
    const [apart] = [await site(a.key, 2)];
    const plane = new ScriptedSwitch(obedient());
    const { verdict } = await ask(plane, apart.eni);
    expect(verdict.stop?.code).toBe("routedElsewhere");
    expect(plane.probes).toEqual([]);
  });

  it("tells a tenant of no bridge of a stranger's", async () => {
    const { confirmation } = await ask(new ScriptedSwitch(obedient(a.vpcId, null, b.vpcId)), b.ip);
    expect(confirmation.confirmed).toBe(true);
    for (const steps of [confirmation.there, confirmation.back]) {
      expect(steps.map(({ vpcId }) => vpcId)).toEqual([a.vpcId, null]);
    }
  });

  it("tells a tenant of no bridge of a stranger's, where it goes there against intent", async () => {
    const plane = new ScriptedSwitch(() => ({
      kind: "traced",
      there: traceOf({ networkInterfaceId: b.eni }, undefined, a.vpcId, null, b.vpcId),
      back: undefined,
    }));
    const { confirmation } = await ask(plane, "10.9.9.9");
    expect(confirmation.drift).toBe(true);
    expect(confirmation.there.map(({ vpcId }) => vpcId)).toEqual([a.vpcId, null]);
  });

  it("tells nothing of how far a packet gets that a stranger's side stops", async () => {
    const plane = new ScriptedSwitch(
      () => ({
        kind: "traced",
        there: traceOf(undefined, "receiver", a.vpcId, null, b.vpcId),
        back: undefined,
      }),
      { unplugged: [b.eni] },
    );
    const { verdict, confirmation } = await ask(plane, b.ip);
    expect(verdict.stop?.code).toBe("farSide");
    expect(confirmation).toEqual({
      confirmed: true,
      drift: false,
      message: undefined,
      there: [],
      back: [],
    });
    expect(plane.probes[0]?.to).toEqual(parseIp(b.ip));
  });
});
