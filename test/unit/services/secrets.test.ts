import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SecretBox } from "../../../src/services/secrets.js";

describe("the secret box", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "patchbay-secrets-"));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  it("makes its key once, readable by its owner only, and leaves no draft behind", async () => {
    const file = join(dir, "key");
    const boxes = await Promise.all([SecretBox.open(file), SecretBox.open(file)]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(dir)).toEqual(["key"]);
    const sealed = boxes[0].seal("a secret", "AKPB1");
    expect(boxes[1].unseal(sealed, "AKPB1")).toBe("a secret");
    expect((await SecretBox.open(file)).unseal(sealed, "AKPB1")).toBe("a secret");
  });

  it("refuses a key file that holds no key", async () => {
    await writeFile(join(dir, "key"), "short\n");
    await expect(SecretBox.open(join(dir, "key"))).rejects.toThrow("does not hold a key");
  });

  it("opens nothing that was altered, moved to another owner, or sealed with another key", () => {
    const box = new SecretBox(Buffer.alloc(32, 1));
    const sealed = box.seal("a secret", "AKPB1");
    expect(sealed.includes("a secret")).toBe(false);
    expect(() => box.unseal(sealed, "AKPB2")).toThrow();
    expect(() => new SecretBox(Buffer.alloc(32, 2)).unseal(sealed, "AKPB1")).toThrow();
    for (let i = 0; i < sealed.length; i += 1) {
      const altered = Buffer.from(sealed);
      altered[i] = (altered[i] ?? 0) ^ 1;
      expect(() => box.unseal(altered, "AKPB1")).toThrow();
    }
  });

  it("never seals alike twice, and derives a key of its own for each purpose", () => {
    const box = new SecretBox(Buffer.alloc(32, 1));
    expect(box.seal("x", "k").equals(box.seal("x", "k"))).toBe(false);
    expect(box.derive("cursor").equals(box.derive("cursor"))).toBe(true);
    expect(box.derive("cursor").equals(box.derive("other"))).toBe(false);
  });
});
