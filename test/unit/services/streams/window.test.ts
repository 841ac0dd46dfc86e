import { beforeEach, describe, expect, it } from "vitest";
import { EventWindow } from "../../../../src/services/streams/window.js";
import type { StoredEvent } from "../../../../src/store/events.js";

function event(id: number, tenantId: string | null, otherTenantId: string | null = null) {
  const actor = { kind: "system", tenantId: null, accessKeyId: null } as const;
  const what = { resourceType: "vpc", resourceId: `vpc-${id}`, action: "update" } as const;
  const seen = { before: null, after: null, tenantId, otherTenantId };
  return { id, time: new Date(id), actor, ...what, ...seen } satisfies StoredEvent;
}

describe("the window of recent events", () => {
  let window: EventWindow;
  const read = (after: number, tenantId: string | null, most = 100) => {
    const { events, upTo } = window.read(after, tenantId, most);
    return { ids: events.map(({ id }) => id), upTo };
  };

  beforeEach(() => {
    window = new EventWindow(4);
    window.reset(10);
  });

  it("has nothing of before it began", () => {
    expect(window.reaches(9)).toBe(false);
    expect(window.reaches(10)).toBe(true);
    expect(read(10, null)).toEqual({ ids: [], upTo: 10 });
  });

  it("gives everybody what concerns them, and tells up to where that is all", () => {
    window.add([event(11, "a"), event(12, "b", "a"), event(13, null), event(14, "b")], 14);
    expect(read(10, "a")).toEqual({ ids: [11, 12], upTo: 14 });
    expect(read(10, "b")).toEqual({ ids: [12, 14], upTo: 14 });
    expect(read(10, null)).toEqual({ ids: [11, 12, 13, 14], upTo: 14 });
    expect(read(11, "a")).toEqual({ ids: [12], upTo: 14 });
    expect(read(12, "a")).toEqual({ ids: [], upTo: 14 });
    expect(read(10, "b", 1)).toEqual({ ids: [12], upTo: 12 });
  });

  it("goes no further back than it is long, and misses nothing from there on", () => {
    for (let id = 11; id <= 40; id += 1) {
      window.add([event(id, "a")], id);
      expect(window.reaches(Math.max(10, id - 4))).toBe(true);
      expect(window.reaches(id - 10) && id > 20).toBe(false);
    }
    const { ids } = read(36, null);
    expect(ids).toEqual([37, 38, 39, 40]);
  });

  it("does not take a reader that is ahead back", () => {
    window.add([event(11, "a")], 11);
    expect(read(15, "a")).toEqual({ ids: [], upTo: 15 });
  });
});
