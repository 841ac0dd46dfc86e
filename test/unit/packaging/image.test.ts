import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ROOT } from "../../support/lock-file.js";

/** A release in full and the digest of its index of platforms. */
const PINNED = /^[\w./-]+:\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}$/;

/** npm may exit with 0 when a download broke off; the file that is looked for is written last. */
const COMPLETE_INSTALL = /^npm ci( --omit=dev)? && test -e node_modules\/\.package-lock\.json( |$)/;

interface Stage {
  readonly base: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

interface Instruction {
  readonly keyword: string;
  readonly value: string;
}

const stages = stagesOf(readFileSync(`${ROOT}Dockerfile`, "utf8"));
const instructions = stages.flatMap((stage) => stage.instructions);
const last = stages.at(-1);

const valuesOf = (keyword: string, of: readonly Instruction[] = instructions) =>
  of.filter((instruction) => instruction.keyword === keyword).map(({ value }) => value);

test("every image comes from a pinned release", () => {
  const own = new Set(stages.map(({ name }) => name));
  const bases = stages.map(({ base }) => base).filter((base) => !own.has(base));
  const services = readFileSync(`${ROOT}docker-compose.yml`, "utf8").matchAll(/^ +image: (.+)$/gm);
  const images = [...bases, ...Array.from(services, ([, image = ""]) => image)];
  expect(images.length).toBeGreaterThan(1);
  for (const image of images) expect(image).toMatch(PINNED);
});

test("packages are installed as they are locked, and production has a tree of its own", () => {
  const installs = valuesOf("RUN").filter((command) =>
    /\bnpm (ci|i|install|prune)\b/.test(command),
  );
  expect(installs.length).toBeGreaterThan(1);
  for (const command of installs) expect(command).toMatch(COMPLETE_INSTALL);
  const modules = valuesOf("COPY", last?.instructions).find((value) => /node_modules/.test(value));
  const [, source] = /^--from=(\w+) /.exec(modules ?? "") ?? [];
  const stage = stages.find(({ name }) => name === source);
  expect(valuesOf("RUN", stage?.instructions).join()).toMatch(/^npm ci --omit=dev\b/);
});

test("the daemon runs as somebody who is not root", () => {
  const users = valuesOf("USER", last?.instructions);
  expect(users).toEqual(["node"]);
});

test("the image holds what the daemon needs and no file of its development", () => {
  const copied = valuesOf("COPY", last?.instructions).map((value) => value.split(" ").at(-1));
  expect(copied).toEqual(["./", "node_modules", "dist", "prisma/migrations"]);
  expect(valuesOf("COPY", last?.instructions)[0]).toBe("package.json ./");
});

test("what is copied is in the repository, and the context holds it", () => {
  const sources = valuesOf("COPY")
    .filter((value) => !value.startsWith("--from="))
    .flatMap((value) => value.split(" ").slice(0, -1));
  const context = readFileSync(`${ROOT}.dockerignore`, "utf8").split("\n");
  expect(sources).toContain("package-lock.json");
  for (const source of sources) {
    expect(existsSync(`${ROOT}${source}`), source).toBe(true);
    expect(context).toContain(`!${source}`);
  }
  const admitted = context.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  expect(context).toContain("*");
  expect(admitted.sort()).toEqual([...new Set(sources)].sort());
});

/** Comments are dropped and continued lines joined, as the builder does. */
function stagesOf(dockerfile: string): Stage[] {
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\s*\\\n\s*/g, " ")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const found: { base: string; name: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, keyword = "", value = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (keyword === "FROM") {
      const [base = "", , name = ""] = value.split(" ");
      found.push({ base, name, instructions: [] });
    } else found.at(-1)?.instructions.push({ keyword, value });
  }
  return found;
}
