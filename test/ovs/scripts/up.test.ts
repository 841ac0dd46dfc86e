import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, inject, test, vi } from "vitest";
import { END_OF_GREETING, UpRuns } from "../../support/up.js";

vi.setConfig({ testTimeout: 120_000 });

const runs = new UpRuns(inject("embeddedTemplate"));
afterEach(() => runs.clear());

test("npm run up says why Open vSwitch could not be installed, and runs without", async () => {
  const dataDir = await runs.dataDir();
  const folder = await runs.emptyDir();
  const complaint = "E: Unable to locate package openvswitch-switch";
  const apt = `#!/bin/sh\necho 'Reading package lists...'\necho '${complaint}' >&2\nexit 100\n`;
  await writeFile(join(folder, "apt-get"), apt, { mode: 0o755 });
  const settings = { PATCHBAY_LISTEN: "127.0.0.1:0", PATCHBAY_DATA_DIR: dataDir };
  const up = runs.start(
    { ...settings, PATH: `${folder}:${process.env["PATH"]}` },
    withoutSwitch(await runs.emptyDir()),
  );
  await up.said(END_OF_GREETING);
  const { output } = await up.stop();
  expect(output).toContain("NO OPEN VSWITCH");
  expect(output).toContain(complaint);
  expect(output).toContain("could not install: openvswitch-switch");
  expect(output).toContain("none: no-op mode, no packets");
});

/** In a view of the file system of its own, with an empty folder for the administrator's programs. */
function withoutSwitch(empty: string): string[] {
  const hide = `mount --bind '${empty}' /usr/sbin && exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", hide, "sh"];
}
