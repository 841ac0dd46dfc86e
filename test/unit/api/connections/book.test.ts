import { expect, test } from "vitest";
import { ConnectionBook, type Phase } from "../../../../src/api/connections/book.js";
import { boundsFor, CONNECTION_TIMES } from "../../../../src/api/connections/limits.js";

const BOUNDS = { total: 8, perAddress: 4, unfinishedPerAddress: 2, idlePerAddress: 1 };

/** A book of connections named ADDRESS-NUMBER that are what `put` says of them. */
function bookOf(bounds = BOUNDS) {
  const phases = new Map<string, Phase>();
  const book = new ConnectionBook<string>(bounds, (name) => phases.get(name) ?? "unfinished");
  const put = (name: string, phase?: Phase, exempt = false) => {
    const out = book.enter(name, name.split("-")[0] ?? "", exempt);
    if (phase === undefined) return out;
    phases.set(name, phase);
    book.move(name, phase);
    return out;
  };
  return { book, phases, put };
}

test("with room for all nobody is out", () => {
  const { book, put } = bookOf();
  expect([put("a-1"), put("a-2", "busy"), put("b-1", "idle")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(book.counts()).toEqual({ unfinished: 1, idle: 1, unread: 0, busy: 1 });
});

test("an address that has all it may have makes room itself, the oldest first", () => {
  const { put } = bookOf();
  put("b-1");
  for (const name of ["a-1", "a-2", "a-3", "a-4"]) put(name);
  expect(put("a-5")).toBe("a-1");
  expect(put("a-6")).toBe("a-2");
  expect(put("b-2")).toBeUndefined();
});

test("among one's own, those go of which there are most", () => {
  const { put } = bookOf();
  put("a-1");
  put("a-2", "idle");
  put("a-3", "idle");
  put("a-4", "unread");
  expect(put("a-5")).toBe("a-2");
});

test("an address that is busy throughout is refused, and nobody else", () => {
  const { put } = bookOf();
  for (const name of ["a-1", "a-2", "a-3", "a-4"]) put(name, "busy");
  expect(put("a-5")).toBe("a-5");
  expect(put("b-1")).toBeUndefined();
});

test("when the daemon is full, the address with most to close makes room for anybody", () => {
  const { put } = bookOf();
  put("c-1");
  for (const name of ["a-1", "a-2", "a-3", "a-4"]) put(name, "busy");
  for (const name of ["b-1", "b-2", "b-3"]) put(name, "idle");
  expect(put("d-1")).toBe("b-1");
  expect(put("e-1")).toBe("b-2");
});

test("when everybody is busy the newcomer is refused, and is not in the book", () => {
  const { book, put } = bookOf();
  for (const name of ["a-1", "a-2", "a-3", "a-4", "b-1", "b-2", "b-3", "b-4"]) put(name, "busy");
  expect(put("c-1")).toBe("c-1");
  expect(book.counts().busy).toBe(8);
  book.leave("b-1");
  expect(put("c-2")).toBeUndefined();
});

test("one whose request has come meanwhile is spared", () => {
  const { book, phases, put } = bookOf();
  for (const name of ["a-1", "a-2", "a-3", "a-4"]) put(name);
  phases.set("a-1", "busy");
  expect(put("a-5")).toBe("a-2");
  expect(book.counts()).toMatchObject({ busy: 1, unfinished: 3 });
});

test("a proxy has what it likes, and makes room when only it can", () => {
  const { book, put } = bookOf();
  const names = ["p-1", "p-2", "p-3", "p-4", "p-5", "p-6"];
  for (const name of names) expect(put(name, undefined, true)).toBeUndefined();
  for (let look = 0; look < 4; look += 1) expect(book.surplus()).toEqual([]);
  put("a-1");
  put("b-1", "busy");
  expect(put("b-2")).toBe("a-1");
  book.move("b-2", "busy");
  expect(put("b-3")).toBe("p-1");
});

test("what an address has beyond its bounds goes at the second look, and never the newest", () => {
  const { book, put } = bookOf();
  for (const name of ["a-1", "a-2", "a-3"]) put(name);
  for (const name of ["b-1", "b-2", "b-3"]) put(name, "idle");
  put("c-1");
  expect(book.surplus()).toEqual([]);
  expect(book.surplus()).toEqual(["a-1", "b-1", "b-2"]);
  expect(book.surplus()).toEqual([]);
});

test("who comes to another phase and back has become the newest", () => {
  const { book, put } = bookOf({ ...BOUNDS, idlePerAddress: 2 });
  for (const name of ["a-1", "a-2", "a-3"]) put(name, "idle");
  book.move("a-1", "busy");
  book.move("a-1", "idle");
  book.surplus();
  expect(book.surplus()).toEqual(["a-2"]);
});

test("with less room those go who can, until the rest fits", () => {
  const { book, put } = bookOf();
  for (const name of ["a-1", "a-2", "b-1"]) put(name);
  for (const name of ["b-2", "b-3"]) put(name, "busy");
  expect(book.resize({ ...BOUNDS, total: 4 })).toEqual(["a-1"]);
  expect(book.resize({ ...BOUNDS, total: 1 })).toEqual(["a-2", "b-1"]);
  expect(put("c-1")).toBe("c-1");
  book.resize(BOUNDS);
  expect(put("c-1")).toBeUndefined();
});

test("leaving twice, or without having come, is nothing", () => {
  const { book, put } = bookOf();
  put("a-1");
  book.leave("a-1");
  book.leave("a-1");
  book.move("a-1", "busy");
  expect(book.counts()).toEqual({ unfinished: 0, idle: 0, unread: 0, busy: 0 });
});

test.each([
  [4, 2, 1],
  [256, 128, 64],
  [1024, 512, 256],
  [1_048_576, 10_000, 5000],
  [Number.POSITIVE_INFINITY, 10_000, 5000],
])("%d descriptors: %d connections, of one address %d", (openFiles, total, perAddress) => {
  const bounds = boundsFor(openFiles);
  expect(bounds).toMatchObject({ total, perAddress });
  expect(bounds.unfinishedPerAddress).toBeGreaterThan(0);
  expect(bounds.unfinishedPerAddress + bounds.idlePerAddress).toBeLessThanOrEqual(
    Math.max(2, perAddress),
  );
});

test("connections are kept for longer than common load balancers keep theirs", () => {
  expect(CONNECTION_TIMES.keepAliveMs).toBeGreaterThan(60_000);
});
