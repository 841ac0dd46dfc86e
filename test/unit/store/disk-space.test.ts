import { expect, test } from "vitest";
import { assertFreeSpace, DiskFullError } from "../../../src/store/database/disk-space.js";
import { storeFailure } from "../../../src/store/database/errors.js";

const mebibyte = 1024 * 1024;
const free = (mebibytes: number) => () => ({ bavail: mebibytes * 256, bsize: mebibyte / 256 });

test("passes with 64 MiB free", () => {
  expect(() => assertFreeSpace("/data", free(64))).not.toThrow();
});

test("refuses below, as an unavailable database, naming the place", () => {
  expect(() => assertFreeSpace("/data", free(63))).toThrow(
    "63 MiB are free for /data, and the embedded database keeps 64 MiB",
  );
  expect(storeFailure(new DiskFullError("/data", 0))).toEqual({ kind: "unavailable" });
});

test("asks the system by default", () => {
  expect(() => assertFreeSpace("/nowhere/at/all")).toThrow("ENOENT");
});
