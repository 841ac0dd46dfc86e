import { expect, it } from "vitest";
import { RefusedError, StartupError } from "../../../src/daemon/startup-error.js";
import { unusableDataDir } from "../../../src/daemon/state/unusable-data-dir.js";

const failure = (code: string) => Object.assign(new Error(`${code}: open`), { code });

it.each(["EROFS", "EISDIR", "EACCES"])(
  "%s is refused with the directory and what to do",
  (code) => {
    const error = unusableDataDir("/var/patchbay", failure(code));
    expect(error).toBeInstanceOf(RefusedError);
    expect(String(error)).toContain(`the data directory /var/patchbay cannot be used: ${code}`);
    expect(String(error)).toContain("\n  - ");
  },
);

it("what may pass is told with the directory, and may be tried again", () => {
  const error = unusableDataDir("/var/patchbay", failure("ENOSPC"));
  expect(error).toBeInstanceOf(StartupError);
  expect(error).not.toBeInstanceOf(RefusedError);
  expect(String(error)).toContain("/var/patchbay");
});

it("what does not come from the system is left as it is", () => {
  const error = new Error("in use");
  expect(unusableDataDir("/var/patchbay", error)).toBe(error);
});
