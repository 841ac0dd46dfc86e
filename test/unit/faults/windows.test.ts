import { describe, expect, it } from "vitest";
import type { Arrival } from "../../faults/prober.js";
import { Windows } from "../../faults/windows.js";

const probe = (sentAt: number, cameAt: number, from = 1, to = 2): Arrival => ({
  from,
  to,
  sentAt,
  cameAt,
});

function openFrom(openedAt: number, closedAt?: number): Windows {
  const windows = new Windows();
  windows.open(2, 1, openedAt);
  if (closedAt !== undefined) windows.close(1, 2, closedAt);
  return windows;
}

describe("the times in which packets may pass", () => {
  it("let nothing through between sites that were never peered", () => {
    expect(openFrom(0).judge(probe(5, 6, 1, 3))?.verdict).toBe("no accept had been asked for");
  });

  it("begin with the accept that is asked for", () => {
    const windows = openFrom(100);
    expect(windows.judge(probe(90, 99))).toBeDefined();
    expect(windows.judge(probe(99, 101))).toBeUndefined();
    expect(windows.judge(probe(150, 151, 2, 1))).toBeUndefined();
  });

  it("end with the report of the deletion, for packets sent after it", () => {
    const windows = openFrom(100, 200);
    expect(windows.judge(probe(199, 205))).toBeUndefined();
    expect(windows.judge(probe(201, 205))?.verdict).toBe("sent 1.0 ms after deletion was reported");
  });

  it("can come again", () => {
    const windows = openFrom(100, 200);
    windows.open(1, 2, 300);
    expect(windows.judge(probe(250, 260))).toBeDefined();
    expect(windows.judge(probe(310, 311))).toBeUndefined();
  });

  it("stay open while the accept is sent again", () => {
    const windows = openFrom(100);
    windows.open(1, 2, 150);
    expect(windows.judge(probe(110, 111))).toBeUndefined();
    windows.close(1, 2, 200);
    expect(windows.judge(probe(210, 211))).toBeDefined();
  });
});
