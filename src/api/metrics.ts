import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { DataPlaneView } from "../domain/data-plane.js";
import { observeConnections } from "./connection-metrics.js";
import { observeDrops } from "./drop-metrics.js";
import { observeHttpConnections } from "./http-connection-metrics.js";
import { type CallsInTurn, observeTurns } from "./turn-metrics.js";

/** What the reconciler counts since start. */
export interface ReconcileActivity {
  counters(): {
    readonly passes: number;
    readonly failures: number;
    readonly drift: number;
    readonly foreignFlows: number;
    readonly watchedBridges: number;
    readonly unreadBridges: number;
  };
  readonly switchError: string | undefined;
}

export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

/** Seconds; an accept that waits for the switch is to stay below 60 ms. */
const BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

/** Metrics of this app, in a registry of its own. */
export function createMetrics(
  app: FastifyInstance,
  view: DataPlaneView,
  activity: ReconcileActivity,
  calls: CallsInTurn,
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  observeRequests(app, registry);
  observeReconciling(registry, activity);
  observeDataPlane(registry, view, activity);
  observeDrops(registry, view);
  observeConnections(registry, view);
  observeTurns(registry, calls);
  observeHttpConnections(registry, app.connections);
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

function observeRequests(app: FastifyInstance, registry: Registry): void {
  const durations = new Histogram({
    name: "patchbay_http_request_duration_seconds",
    help: "Time to answer a request, by route",
    labelNames: ["method", "route", "status"],
    buckets: BUCKETS,
    registers: [registry],
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    const labels = { method: request.method, route, status: reply.statusCode };
    durations.observe(labels, reply.elapsedTime / 1000);
  });
}

function observeReconciling(registry: Registry, activity: ReconcileActivity): void {
  const counted = [
    ["passes", "Reconciliation passes begun"],
    ["failures", "Passes, VPCs and exchange programmings that failed"],
    ["drift", "Own flows and settings found deleted, altered or added by somebody else"],
  ] as const;
  for (const [name, help] of counted) {
    new Counter({
      name: `patchbay_reconcile_${name}_total`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(activity.counters()[name]);
      },
    });
  }
}

function observeDataPlane(
  registry: Registry,
  view: DataPlaneView,
  activity: ReconcileActivity,
): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    const collect = function (this: Gauge): void {
      this.set(read());
    };
    new Gauge({ name: `patchbay_${name}`, help, registers: [registry], collect });
  };
  const bridges = () => view.bridges();
  const hasSwitch = view.backend !== "noop";
  const isUp = () => (hasSwitch && activity.switchError === undefined ? 1 : 0);
  gauge("switch_up", "Whether there is a switch that can be worked with", isUp);
  gauge("bridges", "Bridges of this installation, the exchange included", () => bridges().length);
  gauge("bridges_failing", "Bridges that are not as intended", () => {
    return bridges().filter((bridge) => bridge.lastError !== null).length;
  });
  gauge("bridges_behind", "Bridges that have not followed the latest intent", () => {
    return bridges().filter((bridge) => bridge.observedGeneration < bridge.generation).length;
  });
  gauge("ports_dead", "Interfaces plugged into a port that carries no packets", () => {
    return view.deadPorts();
  });
  gauge("flows", "Flows on all bridges", () => {
    return bridges().reduce((sum, bridge) => sum + bridge.flowCount, 0);
  });
  gauge("foreign_flows", "Flows on our bridges that are not ours", () => {
    return activity.counters().foreignFlows;
  });
  gauge("bridges_unread", "Bridges that could not be looked at when they were to be", () => {
    return activity.counters().unreadBridges;
  });
  const reported = () => {
    return bridges().flatMap(({ settings }) => settings.filter(({ wanted }) => wanted === null));
  };
  gauge("foreign_settings", "Settings that stand otherwise and are only reported", () => {
    return reported().length;
  });
  gauge("bridges_watched", "Bridges whose switch tells of changes to flows at once", () => {
    return activity.counters().watchedBridges;
  });
  backendInfo(registry, view);
}

function backendInfo(registry: Registry, view: DataPlaneView): void {
  const info = new Gauge({
    name: "patchbay_backend_info",
    help: "The backend in use",
    labelNames: ["backend"],
    registers: [registry],
  });
  info.set({ backend: view.backend }, 1);
}
