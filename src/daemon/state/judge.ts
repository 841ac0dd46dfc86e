import type { DatabaseFacts } from "../../store/database/facts.js";
import { isInstallationId, purgeCommand, shown } from "./installation-id.js";

/** What the data directory says, besides an embedded database. */
export interface FileFacts {
  readonly dataDir: string;
  readonly hasKey: boolean;
  readonly installationId: string | undefined;
  readonly hasToken: boolean;
  /** There is an embedded database, and the settings name another one. */
  readonly hasUnusedDatabase: boolean;
}

/** An installation that a switch carries, and that is not the database's. */
export interface Neighbour {
  readonly installationId: string;
  readonly mark: number | undefined;
  readonly bridges: readonly string[];
  /** A daemon works for it at this moment. */
  readonly isServed: boolean;
}

export type SwitchFacts =
  /** Nothing will be programmed. */
  | { readonly state: "unused" }
  | { readonly state: "away" }
  | { readonly state: "seen"; readonly forwarding: readonly Neighbour[] };

/** What the operator has said on the command line. */
export type Consent = "adopt" | "beside" | undefined;

/** The parts of an installation. */
export interface Parts {
  readonly files: FileFacts;
  readonly database: DatabaseFacts;
  /** Whether the key of the data directory opens what is sealed in the database. */
  readonly keyFits: boolean;
}

export interface State extends Parts {
  readonly switch: SwitchFacts;
  readonly consent: Consent;
}

export interface Refusal {
  readonly verdict: "refuse";
  readonly why: string;
  readonly remedy: readonly string[];
}

export type Verdict =
  | { readonly verdict: "start" }
  | { readonly verdict: "first start" }
  | { readonly verdict: "adopt"; readonly identity: Neighbour & { readonly mark: number } }
  | Refusal;

/** What to do with a state, whatever it is: the parts first, then the switch. */
export function judgeState(state: State): Verdict {
  const parts = judgeParts(state);
  const { database } = state;
  const hasProgrammed = database.state === "installed" && database.backend === "ovs";
  // Who has programmed a switch goes on there, whatever else is on it.
  if (parts.verdict === "refuse" || hasProgrammed) return parts;
  const ownId = database.state === "installed" ? database.installationId : undefined;
  return judgeSwitch({ ...state, ownId }) ?? parts;
}

/** Whether the parts of an installation fit together. */
export function judgeParts({ files, database, keyFits }: Parts): Verdict {
  if (database.state === "nameless") return namelessDatabase();
  if (database.state !== "installed") return judgeBeginning(files, database);
  const { installationId, sealed } = database;
  if (files.installationId !== undefined && files.installationId !== installationId) {
    return foreignDatabase(files, installationId, keyFits && sealed.length > 0);
  }
  // Before its key was first used, an interrupted first start goes on where it was.
  const isUnfinished = sealed.length === 0 && files.installationId === undefined;
  if (!files.hasKey) return isUnfinished ? { verdict: "first start" } : lostKey(files);
  return keyFits ? { verdict: "start" } : wrongKey(files, installationId);
}

/** What can be told without opening a database that is there. */
export function judgeFiles(files: FileFacts): Verdict {
  const isKeyLost = files.installationId !== undefined && !files.hasKey;
  return isKeyLost ? lostKey(files) : { verdict: "start" };
}

function judgeBeginning(files: FileFacts, database: DatabaseFacts): Verdict {
  const left = remnants(files);
  return left.length === 0 ? { verdict: "first start" } : lostDatabase(files, database, left);
}

function remnants({ hasKey, installationId, hasToken, hasUnusedDatabase }: FileFacts): string[] {
  return [
    ...(hasKey ? ["secret-key"] : []),
    ...(installationId === undefined ? [] : [`installation-id (${installationId})`]),
    ...(hasToken ? ["operator-token"] : []),
    ...(hasUnusedDatabase ? ["db"] : []),
  ];
}

interface OnSwitch {
  /** Undefined: the installation is yet to be made. */
  readonly ownId: string | undefined;
  readonly switch: SwitchFacts;
  readonly consent: Consent;
}

/** Whether an installation may begin on a switch; undefined when nothing speaks against it. */
export function judgeSwitch({ ownId, switch: ovs, consent }: OnSwitch): Verdict | undefined {
  if (ovs.state !== "seen") return consent === "adopt" ? cannotAdopt(ovs) : undefined;
  if (ovs.forwarding.some(({ installationId }) => installationId === ownId)) return undefined;
  const orphans = ovs.forwarding.filter(({ isServed }) => !isServed);
  if (consent === "adopt") return adopted(orphans);
  return orphans.length === 0 || consent === "beside" ? undefined : unaccounted(orphans, ownId);
}

function adopted(orphans: readonly Neighbour[]): Verdict | undefined {
  const [only, ...others] = orphans;
  if (only === undefined) return undefined;
  if (others.length > 0) return tooManyToAdopt(orphans);
  const { mark, installationId } = only;
  if (!isInstallationId(installationId)) return oddToAdopt(only);
  return mark === undefined
    ? namelessToAdopt(only)
    : { verdict: "adopt", identity: { ...only, mark } };
}

function refuse(why: string, remedy: readonly string[]): Refusal {
  return { verdict: "refuse", why, remedy };
}

function lostKey({ dataDir }: FileFacts): Refusal {
  return refuse(`${dataDir}/secret-key is missing, and the database has secrets sealed with it`, [
    "Restore secret-key from a backup of this data directory: no other key opens the access keys.",
  ]);
}

function wrongKey({ dataDir }: FileFacts, installationId: string): Refusal {
  return refuse(
    `${dataDir}/secret-key does not belong to this database, that of installation ${installationId}: its access keys were sealed with another one`,
    ["Restore that installation's secret-key, or use the data directory that it is in."],
  );
}

function foreignDatabase(
  { dataDir, installationId }: FileFacts,
  other: string,
  keyFits: boolean,
): Refusal {
  return refuse(
    `${dataDir} belongs to installation ${installationId}, and the database to installation ${other}`,
    [
      `Use the data directory of ${other}, or the database of ${installationId}: look at PATCHBAY_DATA_DIR and DATABASE_URL.`,
      "If parts of two backups were mixed, restore all parts from one.",
      ...(keyFits
        ? [
            `secret-key belongs to this database: if the installation became ${other} with --adopt, remove ${dataDir}/installation-id, which is written again.`,
          ]
        : []),
    ],
  );
}

function namelessDatabase(): Refusal {
  return refuse(
    "the database has tenants or access keys, and no row in its table installation that says whose they are",
    [
      "If it is Patchbay's, restore it from a backup: no new installation begins over what is another's.",
      "If it is another application's, set DATABASE_URL to a database that is empty.",
    ],
  );
}

function lostDatabase(files: FileFacts, { state }: DatabaseFacts, left: string[]): Refusal {
  const { dataDir, hasUnusedDatabase } = files;
  const what = state === "absent" ? `${dataDir}/db is missing` : "the database is empty";
  return refuse(`${what}, but ${dataDir} has been used: ${left.join(", ")}`, [
    ...(hasUnusedDatabase
      ? [`If the embedded database in ${dataDir}/db is the one to use, unset DATABASE_URL.`]
      : []),
    "If the database is elsewhere, set DATABASE_URL, or PATCHBAY_DATA_DIR.",
    "If it was lost, restore the whole data directory, or the database, from one backup.",
    "If there is no backup, move what is left aside and start with an empty data directory: with --adopt to take over what the old installation has left on the switch, or after ovs/purge.sh has removed that.",
  ]);
}

function unaccounted(orphans: readonly Neighbour[], ownId: string | undefined): Refusal {
  const ids = orphans.map(({ installationId }) => installationId);
  const purges = ids.map(purgeCommand).join("; ");
  const own = ownId === undefined ? "a new installation" : `installation ${ownId}`;
  return refuse(
    `the switch forwards for ${orphans.map(described).join(" and ")}, which no daemon serves, and ${own} would begin beside it`,
    [
      "If its data was lost, restore its data directory and its database from a backup.",
      `If it is to go, remove it from the switch: ${purges}`,
      "If its data cannot be had back, start once with --adopt: the new installation takes its place and removes from the switch what it does not know, so that the old VPCs stop forwarding.",
      "If it is another installation that shares this switch and is only stopped, start once with --beside.",
    ],
  );
}

function described({ installationId, bridges }: Neighbour): string {
  return `installation ${shown(installationId)} (${bridges.map(shown).join(", ")})`;
}

function tooManyToAdopt(orphans: readonly Neighbour[]): Refusal {
  return refuse(
    `--adopt takes over one installation, and the switch carries ${orphans.length}: ${orphans.map(described).join(" and ")}`,
    ["Remove those that are to go: ovs/purge.sh --installation ID."],
  );
}

function namelessToAdopt(orphan: Neighbour): Refusal {
  return refuse(`--adopt cannot tell the mark of ${described(orphan)}: no bridge has its name`, [
    `Remove it from the switch: ${purgeCommand(orphan.installationId)}.`,
  ]);
}

function oddToAdopt(orphan: Neighbour): Refusal {
  return refuse(`--adopt cannot take the id of ${described(orphan)}: none of ours is like that`, [
    "If somebody has changed patchbay-installation in the external_ids of its bridges, put it back.",
    `Or remove it from the switch: ${purgeCommand(orphan.installationId)}.`,
  ]);
}

function cannotAdopt({ state }: SwitchFacts): Refusal {
  const why = state === "away" ? "no Open vSwitch answers" : "PATCHBAY_BACKEND is noop";
  return refuse(`--adopt takes over what is on a switch, and ${why}`, [
    "Look at PATCHBAY_BACKEND and PATCHBAY_OVSDB.",
  ]);
}
