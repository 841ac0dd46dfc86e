import { describe, expect, test } from "vitest";
import { faultsDealtTo, faultsFor } from "../../faults/faults/index.js";

const kindsOf = (faults: readonly { readonly kind: string }[]) => faults.map(({ kind }) => kind);

describe.each([1, 7, 2027])("what seed %i deals to the databases", (seed) => {
  const embedded = kindsOf(faultsDealtTo("embedded", seed));
  const postgres = kindsOf(faultsDealtTo("PostgreSQL", seed));

  test("is every kind there is", () => {
    const all = [...faultsFor("embedded"), ...faultsFor("PostgreSQL")];
    expect(new Set([...embedded, ...postgres])).toEqual(new Set(kindsOf(all)));
  });

  test("is on both what the database has a part in, and nothing else", () => {
    const onBoth = embedded.filter((kind) => postgres.includes(kind));
    expect(onBoth).toEqual(["kill -9 the daemon", "fill the disk of the data directory"]);
  });

  test("is about as much for each, of what is anywhere", () => {
    const anywhere = kindsOf(faultsFor("embedded")).length - 2;
    expect(embedded.length - 2).toBe(Math.ceil(anywhere / 2));
  });
});
