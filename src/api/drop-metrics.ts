import { Counter, Gauge, type Registry } from "prom-client";
import type { DataPlaneView } from "../domain/data-plane.js";
import type { DropSurvey } from "../domain/drops.js";

/** Whoever scrapes more often than this gets the same answer again. */
const KEPT_MS = 5000;

type SurveySource = Pick<DataPlaneView, "surveyDrops">;

/**
 * What the switch has dropped, by interface and reason. A scrape asks the switch at most every few
 * seconds and does not fail when that is away.
 */
export function observeDrops(registry: Registry, view: SurveySource, keptMs = KEPT_MS): void {
  const latest = kept(() => view.surveyDrops(), keptMs);
  new Counter({
    name: "patchbay_dropped_packets_total",
    help: "Packets dropped of and for a network interface since it was plugged in, if any",
    labelNames: ["vpc", "network_interface", "reason"],
    registers: [registry],
    async collect() {
      const survey = await latest();
      this.reset();
      for (const { vpcId, networkInterfaceId, reason, packets } of survey?.drops ?? []) {
        this.inc({ vpc: vpcId, network_interface: networkInterfaceId, reason }, packets);
      }
    },
  });
  new Gauge({
    name: "patchbay_drop_counters_up",
    help: "Whether the drop counters of all bridges could be read; 0 also with the no-op backend",
    registers: [registry],
    async collect() {
      const survey = await latest();
      this.set(survey?.complete === true ? 1 : 0);
    },
  });
}

type Survey = () => Promise<DropSurvey | null>;

/** Asks again only once the answer is older than `keptMs`; who asks meanwhile waits for the same. */
function kept(ask: Survey, keptMs: number): Survey {
  let answer: ReturnType<Survey> | undefined;
  return () => {
    answer ??= ask().finally(() => {
      setTimeout(() => {
        answer = undefined;
      }, keptMs).unref();
    });
    return answer;
  };
}
