import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { observeDrops } from "../../../src/api/drop-metrics.js";
import type { DropSurvey } from "../../../src/domain/drops.js";

const KEPT_MS = 5000;
const SERIES = "patchbay_dropped_packets_total{";

function drop(packets: number) {
  const place = { networkInterfaceId: "eni-1", vpcId: "vpc-1" };
  return { ...place, reason: "spoofed" as const, packets, bytes: packets * 60 };
}

function scraping(survey: () => Promise<DropSurvey | null>) {
  const registry = new Registry();
  const surveyDrops = vi.fn<typeof survey>(survey);
  observeDrops(registry, { surveyDrops }, KEPT_MS);
  return { surveyDrops, scrape: () => registry.metrics() };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("the drop metrics", () => {
  it("have a series for each counter that is not zero", async () => {
    const { scrape } = scraping(async () => ({ drops: [drop(7)], complete: true }));
    const text = await scrape();
    expect(text).toContain(
      'patchbay_dropped_packets_total{vpc="vpc-1",network_interface="eni-1",reason="spoofed"} 7\n',
    );
    expect(text.split(SERIES)).toHaveLength(2);
    expect(text).toContain("patchbay_drop_counters_up 1\n");
  });

  it("ask the switch once for both, for all scrapes at once, and for those soon after", async () => {
    let packets = 0;
    const { scrape, surveyDrops } = scraping(async () => {
      packets += 1;
      return { drops: [drop(packets)], complete: true };
    });
    const [one, two] = await Promise.all([scrape(), scrape()]);
    expect(two).toBe(one);
    await vi.advanceTimersByTimeAsync(KEPT_MS - 1);
    expect(await scrape()).toBe(one);
    expect(surveyDrops).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await scrape()).toContain('reason="spoofed"} 2\n');
  });

  it("lose a series with its interface", async () => {
    let drops = [drop(7)];
    const { scrape } = scraping(async () => ({ drops, complete: true }));
    expect(await scrape()).toContain(SERIES);
    drops = [];
    await vi.advanceTimersByTimeAsync(KEPT_MS);
    expect(await scrape()).not.toContain(SERIES);
  });

  it.each<[string, DropSurvey | null, boolean]>([
    ["the switch is away", { drops: [], complete: false }, false],
    ["a bridge could not be read", { drops: [drop(7)], complete: false }, true],
    ["nothing counts", null, false],
  ])("say that they are not complete when %s", async (_, survey, hasSeries) => {
    const text = await scraping(async () => survey).scrape();
    expect(text).toContain("patchbay_drop_counters_up 0\n");
    expect(text.includes(SERIES)).toBe(hasSeries);
  });
});
