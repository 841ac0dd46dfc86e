import { Gauge, type Registry } from "prom-client";
import type { DataPlaneView } from "../domain/data-plane.js";

/** How many interfaces have no room for connections, from the last reading of the switch. */
export function observeConnections(
  registry: Registry,
  view: Pick<DataPlaneView, "fullInterfaces">,
): void {
  new Gauge({
    name: "patchbay_interfaces_full",
    help: "Network interfaces that have as many connections as they may, by who opened them",
    labelNames: ["side"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [side, count] of Object.entries(view.fullInterfaces() ?? {})) {
        this.set({ side }, count);
      }
    },
  });
}
