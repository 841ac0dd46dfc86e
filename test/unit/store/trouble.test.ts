import { expect, test } from "vitest";
import { PROBLEMS, retryAfterSeconds } from "../../../src/api/problems/codes.js";
import { DATABASE_TROUBLES, explainFailure } from "../../../src/services/database-trouble.js";
import { databaseTrouble, storeFailure } from "../../../src/store/database/errors.js";

function withCode(code: string): Error {
  return Object.assign(new Error("provoked"), { code });
}

test.each([
  ["08006", "DatabaseUnreachable"],
  ["57P01", "DatabaseUnreachable"],
  ["57P03", "DatabaseUnreachable"],
  ["ECONNREFUSED", "DatabaseUnreachable"],
  ["P1001", "DatabaseUnreachable"],
  ["28P01", "DatabaseRefused"],
  ["28000", "DatabaseRefused"],
  ["42501", "DatabaseRefused"],
  ["55000", "DatabaseRefused"],
  ["EACCES", "DatabaseRefused"],
  ["3D000", "DatabaseMissing"],
  ["57P04", "DatabaseMissing"],
  ["42P01", "DatabaseDamaged"],
  ["42804", "DatabaseDamaged"],
  ["42P10", "DatabaseDamaged"],
  ["3F000", "DatabaseDamaged"],
  ["0A000", "DatabaseDamaged"],
  ["23502", "DatabaseDamaged"],
  ["26000", "DatabaseDamaged"],
  ["P0001", "DatabaseDamaged"],
  ["P2011", "DatabaseDamaged"],
  ["P2023", "DatabaseDamaged"],
  ["XX001", "DatabaseDamaged"],
  ["58P01", "DatabaseDamaged"],
  ["EIO", "DatabaseDamaged"],
  ["ESTALE", "DatabaseMoved"],
  ["25006", "DatabaseReadOnly"],
  ["EROFS", "DatabaseReadOnly"],
  ["53100", "DatabaseFull"],
  ["ENOSPC", "DatabaseFull"],
  ["53300", "DatabaseBusy"],
  ["53200", "DatabaseBusy"],
  ["40P01", "DatabaseBusy"],
  ["40001", "DatabaseBusy"],
  ["55P03", "DatabaseLocked"],
  ["57014", "DatabaseTimeout"],
  ["25P03", "DatabaseTimeout"],
  ["P2028", "DatabaseTimeout"],
])("%s is told as %s, also as a cause", (code, told) => {
  expect(explainFailure(withCode(code))?.code).toBe(told);
  const wrapped = new Error("a query failed", { cause: withCode(code) });
  expect(explainFailure(wrapped)?.code).toBe(told);
});

test.each(["23505", "23514", "22012", "42601", "P2025"])("%s is no trouble", (code) => {
  expect(databaseTrouble(withCode(code))).toBeUndefined();
  expect(storeFailure(withCode(code)).kind).not.toBe("unavailable");
  expect(explainFailure(withCode(code))).toBeUndefined();
});

test("each kind of trouble has a code of its own, a 503 with a time to come back", () => {
  const tellings = Object.values(DATABASE_TROUBLES);
  expect(new Set(tellings.map(({ code }) => code)).size).toBe(tellings.length);
  for (const { code, detail } of tellings) {
    expect(PROBLEMS[code][0]).toBe(503);
    expect(retryAfterSeconds(code)).toBeGreaterThan(0);
    expect(detail).not.toMatch(/PostgreSQL|default_|pg_|daemon/);
  }
});
