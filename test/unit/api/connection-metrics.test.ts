import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { observeConnections } from "../../../src/api/connection-metrics.js";
import type { FullInterfaces } from "../../../src/domain/connections.js";

async function scraped(full: FullInterfaces | null): Promise<string> {
  const registry = new Registry();
  observeConnections(registry, { fullInterfaces: () => full });
  return registry.metrics();
}

it("counts interfaces without room for connections by side, and none while nothing is known", async () => {
  const text = await scraped({ caller: 1, called: 3 });
  expect(text).toContain('patchbay_interfaces_full{side="caller"} 1\n');
  expect(text).toContain('patchbay_interfaces_full{side="called"} 3\n');
  expect(await scraped(null)).not.toContain("side=");
});
