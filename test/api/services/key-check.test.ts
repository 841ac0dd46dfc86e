import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireMatchingKey, WrongKeyError } from "../../../src/services/key-check.js";
import { SecretBox } from "../../../src/services/secrets.js";
import { startTestApi, type TestApi } from "../../support/api.js";
import { databaseEngines } from "../../support/databases.js";

describe.each(databaseEngines)("the key of a data directory, on $name", (engine) => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi(engine);
  });
  afterAll(() => api.stop());

  it("belongs to the database that it was first used with, and no other fits", async () => {
    const { db } = api.context;
    const own = new SecretBox(Buffer.alloc(32, 1));
    await requireMatchingKey(db, own);
    await requireMatchingKey(db, new SecretBox(Buffer.alloc(32, 1)));
    const other = new SecretBox(Buffer.alloc(32, 2));
    await expect(requireMatchingKey(db, other)).rejects.toThrow(WrongKeyError);
    await requireMatchingKey(db, own);
  });
});
