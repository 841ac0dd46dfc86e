import { expect, test } from "vitest";
import { storeFailure } from "../../../src/store/database/errors.js";

function withCode(code: string, message = "provoked"): Error {
  return Object.assign(new Error(message), { code });
}

test.each(["P1001", "P1002", "P1008", "P1017", "P2024", "P2028", "P2037"])(
  "Prisma's %s is unavailable",
  (code) => {
    expect(storeFailure(withCode(code))).toEqual({ kind: "unavailable" });
  },
);

test.each(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTFOUND", "ENOSPC"])(
  "the system's %s is unavailable, also as a cause",
  (code) => {
    expect(storeFailure(withCode(code))).toEqual({ kind: "unavailable" });
    const wrapped = new Error("a query failed", { cause: withCode(code) });
    expect(storeFailure(wrapped)).toEqual({ kind: "unavailable" });
  },
);

test.each(["08006", "08P01", "53300", "57P02", "57P03", "58030", "25P03"])(
  "SQLSTATE %s is unavailable",
  (code) => {
    expect(storeFailure(withCode(code))).toEqual({ kind: "unavailable" });
  },
);

test("a host with several addresses, none of which answers", () => {
  const refused = [withCode("ECONNREFUSED"), withCode("ECONNREFUSED")];
  expect(storeFailure(new AggregateError(refused))).toEqual({ kind: "unavailable" });
});

test.each([
  "Connection terminated unexpectedly",
  "timeout exceeded when trying to connect",
  "PGlite is closed",
])("no code but the text: %s", (message) => {
  expect(storeFailure(new Error(message))).toEqual({ kind: "unavailable" });
  const shown = new Error(`\nInvalid \`prisma.vpc.count()\` invocation:\n\n\n${message}`);
  expect(storeFailure(shown)).toEqual({ kind: "unavailable" });
});

test("SQLSTATE decides before Prisma's code for the way it was called", () => {
  const adapterError = { cause: { originalCode: "40P01", originalMessage: "deadlock detected" } };
  const raw = Object.assign(withCode("P2010"), { meta: { driverAdapterError: adapterError } });
  expect(storeFailure(raw)).toEqual({ kind: "conflict" });
});

test("the constraint is named by the driver's field, else by the message", () => {
  const message = 'duplicate key value violates unique constraint "vpc_pkey"';
  expect(storeFailure(withCode("23505", message))).toEqual({
    kind: "unique",
    constraint: "vpc_pkey",
  });
  const named = Object.assign(withCode("23505", message), { constraint: "vpc_number_key" });
  expect(storeFailure(named).constraint).toBe("vpc_number_key");
});

test.each([null, undefined, "text", 7, {}, new Error("a fault of ours"), withCode("P2025")])(
  "%s is none of these",
  (value) => {
    expect(storeFailure(value)).toEqual({ kind: "other" });
  },
);

test("an error that is its own cause ends the search", () => {
  const circular = new Error("round and round");
  circular.cause = circular;
  expect(storeFailure(circular)).toEqual({ kind: "other" });
});
