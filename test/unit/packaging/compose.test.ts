import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ROOT } from "../../support/lock-file.js";

const compose = readFileSync(`${ROOT}docker-compose.yml`, "utf8");
const readme = readFileSync(`${ROOT}README.md`, "utf8");

/** A new database is set up by a server that listens on its socket only, and that one is not to count. */
test("the database is healthy once it answers where the daemon asks", () => {
  const [, check = ""] = /^ +test: (.*pg_isready.*)$/m.exec(compose) ?? [];
  expect(check).toContain('"-h", "127.0.0.1"');
});

/** Both daemons take port 8080 of the host's loopback: the profile alone would start the two. */
test.each([
  ["README.md", readme],
  ["docker-compose.yml", compose],
])("%s starts the daemon on a switch by its name", (_file, text) => {
  const commands = [...text.matchAll(/docker[- ]compose --profile ovs up(.*)/g)];
  expect(commands.length).toBeGreaterThan(0);
  for (const [, rest] of commands) expect(rest).toMatch(/^ patchbay-ovs\b/);
});
