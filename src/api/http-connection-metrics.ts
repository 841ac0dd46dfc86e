import { Counter, Gauge, type Registry } from "prom-client";
import type { ConnectionWatch } from "./connections/watch.js";

/** The clients' connections to this daemon. No label tells of whom they are. */
export function observeHttpConnections(
  registry: Registry,
  watch: Pick<ConnectionWatch, "counts" | "closures">,
): void {
  new Gauge({
    name: "patchbay_http_connections",
    help: "Connections of clients: without a complete request yet, idle, not reading, or served",
    labelNames: ["phase"],
    registers: [registry],
    collect() {
      for (const [phase, count] of Object.entries(watch.counts())) this.set({ phase }, count);
    },
  });
  new Counter({
    name: "patchbay_http_connections_closed_total",
    help: "Connections closed: no room, too many of an address, no progress, too much that waits",
    labelNames: ["reason"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(watch.closures)) this.inc({ reason }, count);
    },
  });
}
