import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { commitOfTree, lastGreen, recordGreen } from "../../../scripts/kernel/record.mjs";

// Each makes a repository: a dozen processes.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const OUTCOMES = [{ tier: "packets", state: "passed" as const, detail: "3 tests", seconds: 1.4 }];
const GUEST = { kernel: "7.0.0", openvswitch: "3.1.0" };
const RUN = { guest: GUEST, outcomes: OUTCOMES, seconds: 61.6 };

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pbr-"));
  git("init", "-q");
  write("src/a.ts", "1");
  write("docs/a.md", "1");
  write("test/kernel/not-run.json", "[]");
  commit();
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

it("says that nothing was recorded, until it was", () => {
  expect(lastGreen(root)).toMatch(/never recorded as green$/);
  recordGreen(commitOfTree(root), RUN, root);
  const head = git("rev-parse", "HEAD").slice(0, 12);
  expect(lastGreen(root)).toMatch(
    new RegExp(`last green on .* for ${head}, the code as it is now`),
  );
});

it("stays with the code when the record itself, or a text, is committed", () => {
  recordGreen(commitOfTree(root), RUN, root);
  write("docs/a.md", "2");
  commit();
  expect(lastGreen(root)).toMatch(/the code as it is now$/);
});

it("says what has changed since", () => {
  recordGreen(commitOfTree(root), RUN, root);
  write("src/a.ts", "2");
  expect(lastGreen(root)).toMatch(/; since then 1 file changed/);
});

it("records nothing of a tree with changes", () => {
  write("src/b.ts", "1");
  recordGreen(commitOfTree(root), RUN, root);
  expect(lastGreen(root)).toMatch(/never recorded as green$/);
});

it("records nothing of a tree that changed while it was tested", () => {
  const before = commitOfTree(root);
  write("src/a.ts", "2");
  commit();
  recordGreen(before, RUN, root);
  expect(lastGreen(root)).toMatch(/never recorded as green$/);
});

it("says so where the commit is not known", () => {
  const record = { commit: "0".repeat(40), date: "2026-11-30T00:00:00.000Z" };
  write("test/kernel/last-green.json", JSON.stringify(record));
  expect(lastGreen(root)).toMatch(/for 0{12}, a commit that this clone does not know$/);
});

function write(file: string, text: string): void {
  mkdirSync(join(root, file, ".."), { recursive: true });
  writeFileSync(join(root, file), text);
}

function commit(): void {
  git("add", ".");
  git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "x");
}

function git(...args: string[]): string {
  return execaSync("git", args, { cwd: root }).stdout;
}
