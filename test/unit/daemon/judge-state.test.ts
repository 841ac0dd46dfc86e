import { describe, expect, it } from "vitest";
import {
  type Consent,
  judgeFiles,
  judgeParts,
  judgeState,
  type Neighbour,
  type State,
  type SwitchFacts,
  type Verdict,
} from "../../../src/daemon/state/judge.js";
import type { DatabaseFacts } from "../../../src/store/database/facts.js";

const OWN = "0".repeat(32);
const OTHER = "f".repeat(32);
const SEALED = [{ owner: "installation", text: new Uint8Array([1]) }];

const neighbour = (installationId: string, facts: Partial<Neighbour> = {}): Neighbour => ({
  installationId,
  mark: 1,
  bridges: ["pb000001v1"],
  isServed: false,
  ...facts,
});
const orphan = neighbour("a".repeat(32));
const secondOrphan = neighbour("b".repeat(32), { mark: 2 });
const served = neighbour("c".repeat(32), { isServed: true });
const nameless = neighbour("d".repeat(32), { mark: undefined });
const seen = (...forwarding: Neighbour[]): SwitchFacts => ({ state: "seen", forwarding });

const SWITCHES: Record<string, SwitchFacts> = {
  unused: { state: "unused" },
  away: { state: "away" },
  bare: seen(),
  own: seen(neighbour(OWN)),
  "own and an orphan": seen(neighbour(OWN), orphan),
  orphan: seen(orphan),
  "two orphans": seen(orphan, secondOrphan),
  served: seen(served),
  "served and an orphan": seen(served, orphan),
  nameless: seen(nameless),
};

const DATABASES: Record<string, DatabaseFacts> = {
  absent: { state: "absent" },
  empty: { state: "empty" },
  nameless: { state: "nameless" },
  unfinished: { state: "installed", installationId: OWN, backend: null, sealed: [] },
  "never on a switch": { state: "installed", installationId: OWN, backend: null, sealed: SEALED },
  "on a switch": { state: "installed", installationId: OWN, backend: "ovs", sealed: SEALED },
};

const KEYS = { missing: [false, false], foreign: [true, false], fitting: [true, true] } as const;
const IDS = { none: undefined, own: OWN, other: OTHER };
const TOKENS = { token: true, "no token": false };
const NO_OTHER = { hasUnusedDatabase: false };
const CONSENTS: readonly Consent[] = [undefined, "adopt", "beside"];

interface Case {
  readonly database: keyof typeof DATABASES;
  readonly key: keyof typeof KEYS;
  readonly id: keyof typeof IDS;
  readonly token: keyof typeof TOKENS;
  readonly ovs: keyof typeof SWITCHES;
  readonly consent: Consent;
}

function stateOf({ database, key, id, token, ovs, consent }: Case): State {
  const [hasKey, keyFits] = KEYS[key];
  const facts = DATABASES[database] ?? { state: "absent" };
  return {
    files: { dataDir: "/d", hasKey, installationId: IDS[id], hasToken: TOKENS[token], ...NO_OTHER },
    database: facts,
    keyFits: keyFits || (hasKey && facts.state === "installed" && facts.sealed.length === 0),
    switch: SWITCHES[ovs] ?? { state: "away" },
    consent,
  };
}

/** What is expected, said in another way: a row for each kind of parts, first match first. */
function expectedOfParts({ database, key, id, token }: Case): string {
  const isBlank = key === "missing" && id === "none" && token === "no token";
  if (database === "absent") return isBlank ? "first start" : "/d/db is missing";
  if (database === "empty") return isBlank ? "first start" : "the database is empty";
  if (database === "nameless") return "no row in its table installation";
  if (id === "other") return "/d belongs to installation ffff";
  const isUsed = database !== "unfinished";
  if (key === "missing") return isUsed || id === "own" ? "secret-key is missing" : "first start";
  return isUsed && key === "foreign" ? "does not belong to this database" : "start";
}

const ORPHANS: Record<keyof typeof SWITCHES, number> = {
  orphan: 1,
  "two orphans": 2,
  "served and an orphan": 1,
  nameless: 1,
};

function expectedOfSwitch({ database, ovs, consent }: Case, parts: string): string {
  if (database === "on a switch" || !parts.endsWith("start")) return parts;
  const isOwn = ovs.startsWith("own") && database !== "absent" && database !== "empty";
  if (ovs === "unused") return consent === "adopt" ? "PATCHBAY_BACKEND is noop" : parts;
  if (ovs === "away") return consent === "adopt" ? "no Open vSwitch answers" : parts;
  // To a database that knows of no installation, its own things are somebody else's.
  const orphans = ovs.startsWith("own") ? (ovs === "own" ? 1 : 2) : (ORPHANS[ovs] ?? 0);
  if (isOwn || orphans === 0) return parts;
  if (consent === "beside") return parts;
  if (consent === undefined) return "which no daemon serves";
  if (orphans > 1) return "--adopt takes over one installation";
  return ovs === "nameless" ? "--adopt cannot tell the mark" : "adopt";
}

function textOf(verdict: Verdict): string {
  if (verdict.verdict !== "refuse") throw new Error("it was not refused");
  return [verdict.why, ...verdict.remedy].join("\n");
}

const keysOf = <K extends string>(of: Record<K, unknown>) => Object.keys(of) as K[];

const cases: Case[] = keysOf(DATABASES).flatMap((database) =>
  keysOf(KEYS).flatMap((key) =>
    keysOf(IDS).flatMap((id) =>
      keysOf(TOKENS).flatMap((token) =>
        keysOf(SWITCHES).flatMap((ovs) =>
          CONSENTS.map((consent) => ({ database, key, id, token, ovs, consent })),
        ),
      ),
    ),
  ),
);

describe("judging what is there", () => {
  it("knows what to do with every combination of parts, and says it when it refuses", () => {
    expect(cases).toHaveLength(3240);
    for (const each of cases) {
      const verdict = judgeState(stateOf(each));
      const expected = expectedOfSwitch(each, expectedOfParts(each));
      if (verdict.verdict !== "refuse") {
        expect({ ...each, verdict: verdict.verdict }).toEqual({ ...each, verdict: expected });
        continue;
      }
      expect(verdict.why, JSON.stringify(each)).toContain(expected);
      expect(verdict.remedy.length).toBeGreaterThan(0);
    }
  });

  it("never makes up a key where something is sealed, nor an installation where one was", () => {
    for (const each of cases) {
      const state = stateOf(each);
      const { verdict } = judgeState(state);
      const isSealed = state.database.state === "installed" && state.database.sealed.length > 0;
      if (isSealed && !state.files.hasKey) expect(verdict, JSON.stringify(each)).toBe("refuse");
      if (verdict === "first start" && state.database.state !== "installed") {
        expect(state.files).toMatchObject({ hasKey: false, hasToken: false });
      }
    }
  });

  it("takes an identity only from what nobody serves, and only when it was told to", () => {
    for (const each of cases) {
      const verdict = judgeState(stateOf(each));
      if (verdict.verdict !== "adopt") continue;
      expect(each.consent).toBe("adopt");
      expect(verdict.identity.isServed).toBe(false);
    }
  });

  it("names who would be left behind, and each way on", () => {
    const state = stateOf({
      ...{ database: "absent", key: "missing", id: "none", token: "no token" },
      ...{ ovs: "orphan", consent: undefined },
    });
    const verdict = judgeState(state);
    const text = textOf(verdict);
    const { installationId } = orphan;
    const ways = [
      "restore",
      `ovs/purge.sh --installation ${installationId}`,
      "--adopt",
      "--beside",
    ];
    for (const part of [installationId, "pb000001v1", ...ways]) expect(text).toContain(part);
  });
});

it("tells a lost key without opening the database", () => {
  const files = { dataDir: "/d", hasKey: false, installationId: OWN, hasToken: true, ...NO_OTHER };
  expect(judgeFiles(files)).toMatchObject({ verdict: "refuse" });
  expect(judgeFiles({ ...files, hasKey: true })).toEqual({ verdict: "start" });
  expect(judgeFiles({ ...files, installationId: undefined })).toEqual({ verdict: "start" });
});

it("begins no installation beside an embedded database that is not used", () => {
  const files = { dataDir: "/d", hasKey: false, installationId: undefined, hasToken: false };
  const parts = { database: { state: "empty" as const }, keyFits: false };
  const judged = judgeParts({ ...parts, files: { ...files, hasUnusedDatabase: true } });
  expect(textOf(judged)).toContain("/d has been used: db");
  expect(textOf(judged)).toContain("unset DATABASE_URL");
});

it("names the way on where only the note of the id is another's", () => {
  const files = { dataDir: "/d", hasKey: true, installationId: OTHER, hasToken: true, ...NO_OTHER };
  const database = DATABASES["never on a switch"] ?? { state: "absent" };
  const way = "remove /d/installation-id";
  expect(textOf(judgeParts({ files, database, keyFits: true }))).toContain(way);
  expect(textOf(judgeParts({ files, database, keyFits: false }))).not.toContain(way);
});

it("neither adopts an id that is none of ours nor makes it part of a command", () => {
  const odd = neighbour("odd id;x", { bridges: ["pb000001v1", "b;y"] });
  const place = { database: "absent", id: "none", ovs: "bare" } as const;
  const base = { ...place, key: "missing", token: "no token", consent: undefined } as const;
  for (const consent of ["adopt", undefined] as const) {
    const text = textOf(judgeState({ ...stateOf(base), switch: seen(odd), consent }));
    expect(text).toContain('installation "odd id;x" (pb000001v1, "b;y")');
    expect(text).not.toContain("--installation odd");
    expect(text).toContain("ovs-vsctl del-br");
  }
});
