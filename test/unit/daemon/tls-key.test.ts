import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadConfig } from "../../../src/config.js";
import { serverOptions } from "../../../src/daemon/listen.js";
import { cert, key, renewed } from "../../support/certificate.js";

let directory: string;
let keyFile: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "patchbay-test-"));
  keyFile = join(directory, "key.pem");
  writeFileSync(keyFile, key);
  writeFileSync(join(directory, "cert.pem"), cert);
});
afterAll(() => rmSync(directory, { recursive: true }));

function read(mode: number) {
  chmodSync(keyFile, mode);
  const certFile = join(directory, "cert.pem");
  return serverOptions(loadConfig({ PATCHBAY_TLS_CERT: certFile, PATCHBAY_TLS_KEY: keyFile }));
}

it.each([0o600, 0o640, 0o400])("a key of mode %o is taken", async (mode) => {
  expect((await read(mode)).tls).toEqual({ cert, key });
});

it.each([0o644, 0o602, 0o660, 0o666])(
  "a key of mode %o is refused, with its name",
  async (mode) => {
    const error = await read(mode).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "RefusedError" });
    expect(String(error)).toContain(
      `${keyFile} is open to other users (mode 0${mode.toString(8)})`,
    );
  },
);

it("a key of another user is refused", async () => {
  chownSync(keyFile, 65534, 65534);
  await expect(read(0o600)).rejects.toThrow("belongs to another user");
  chownSync(keyFile, 0, 0);
});

it.each([
  ["another key's", renewed.cert, key, "key values mismatch"],
  ["empty", "", key, "cert.pem"],
  ["without its key", cert, "", "key.pem"],
])("a certificate that is %s is refused, with the names of both", async (_, cert, key, why) => {
  writeFileSync(join(directory, "cert.pem"), cert);
  writeFileSync(keyFile, key);
  const error = await read(0o600).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "StartupError", message: expect.stringContaining(why) });
  expect(String(error)).toContain(keyFile);
});
