import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, expect, it, onTestFinished } from "vitest";
import { CommandError } from "../../../src/backends/ovs/exec.js";
import { ExecHelper } from "../../../src/backends/ovs/exec-helper.js";
import { eventually } from "./fixture.js";

/** The helper is a program: it is there once the daemon was built. */
const BUILT = fileURLToPath(
  new URL("../../../dist/backends/ovs/exec-helper-main.js", import.meta.url),
);

let helper: ExecHelper;

beforeAll(() => {
  // Without it this very process would be the one that starts programs, and is killed below.
  if (!existsSync(BUILT)) throw new Error(`${BUILT} is missing: run npm run build`);
});

beforeEach(() => {
  helper = new ExecHelper(BUILT);
  helper.start();
});

afterEach(() => helper.stop());

it("starts programs from another process, whose group is not ours", async () => {
  const parent = await parentOfAProgram();
  expect(parent).not.toBe(process.pid);
  expect(await parentOfAProgram(), "always the same").toBe(parent);
  const groupOf = async (pid: number) =>
    (await readFile(`/proc/${pid}/stat`, "utf8")).split(" ")[4];
  expect(await groupOf(parent)).not.toBe(await groupOf(process.pid));
});

it("hands input in and output and failures back, several at a time", async () => {
  const texts = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(100_000));
  expect(await Promise.all(texts.map((text) => helper.exec("cat", [], text)))).toEqual(texts);
  const failed = helper.exec("sh", ["-c", "echo why >&2; exit 3"]);
  await expect(failed).rejects.toThrow(CommandError);
  await expect(failed).rejects.toMatchObject({
    message: "sh failed (exit code 3): why",
    exitCode: 3,
    hopeless: false,
  });
  await expect(helper.exec("no-such-program", [])).rejects.toMatchObject({ hopeless: true });
});

it("fails what was under way when the helper is killed, and goes on with another", async () => {
  const first = await parentOfAProgram();
  const underWay = helper.exec("sleep", ["5"]);
  process.kill(first, "SIGKILL");
  await expect(underWay).rejects.toThrow(/ended before the program did/);
  expect(await parentOfAProgram()).not.toBe(first);
});

it("does not hear signals that are meant for the daemon, as when a whole unit is told to reload", async () => {
  const parent = await parentOfAProgram();
  const underWay = helper.exec("sh", ["-c", "sleep 0.2; echo done"]);
  for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const) process.kill(parent, signal);
  expect(await underWay).toBe("done");
  expect(await parentOfAProgram()).toBe(parent);
});

it("gives a helper up that hangs, and goes on with another", async () => {
  const impatient = new ExecHelper(BUILT, 1000);
  impatient.start();
  onTestFinished(() => impatient.stop());
  const first = await parentOfAProgram(impatient);
  process.kill(first, "SIGSTOP");
  await expect(impatient.exec("true", [])).rejects.toThrow(/ended before the program did/);
  // Also of the next one it expects to start within its limit, which a busy machine may not do.
  const next = () => parentOfAProgram(impatient).catch(() => first);
  await expect.poll(next, { timeout: 20_000 }).not.toBe(first);
});

it("lets the helper end once stopped, and starts no program any more", async () => {
  const parent = await parentOfAProgram();
  helper.stop();
  await eventually(() => !isAlive(parent));
  await expect(helper.exec("true", [])).rejects.toThrow(CommandError);
  await expect(helper.exec("true", [])).rejects.toThrow(/the daemon stops/);
});

it.each([
  ["by the helper", BUILT],
  ["by the daemon itself", "/dev/null/nothing"],
])("keeps nobody waiting for what is run %s when it is stopped", async (_, program) => {
  const another = new ExecHelper(program);
  another.start();
  await another.exec("true", []);
  const pending = [another.exec("sleep", ["5"]), another.exec("cat", [], "x".repeat(1_000_000))];
  const ended = Promise.allSettled(pending);
  another.stop();
  for (const { status } of await ended) expect(status).toBe("rejected");
  await expect(pending[0]).rejects.toThrow(/the daemon stops/);
});

async function parentOfAProgram(of = helper): Promise<number> {
  return Number(await of.exec("sh", ["-c", "echo $PPID"]));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}
