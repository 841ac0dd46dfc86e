import type { Logger } from "pino";
import { surveySwitch } from "../../backends/ovs/survey.js";
import type { Config } from "../../config.js";
import type { PrismaClient } from "../../generated/prisma/client.js";
import { requireMatchingKey } from "../../services/key-check.js";
import { SecretBox } from "../../services/secrets.js";
import { lockDataDir } from "../../store/database/data-dir-lock.js";
import { DatabaseHold } from "../../store/database/hold.js";
import type { Database } from "../../store/database/open.js";
import { adoptIdentity, type Installation, loadInstallation } from "../../store/installation.js";
import { banner } from "../backend-choice.js";
import { openDatabasePatiently } from "../database.js";
import type { Lifetime } from "../lifetime.js";
import { forgetInstallationId, noteInstallationId, operatorToken } from "../private-files.js";
import { type DataDirFiles, readDataDir, secretKeyFile } from "./data-dir-files.js";
import { Examination, requireFiles } from "./examine.js";
import type { Consent, SwitchFacts } from "./judge.js";
import { unusableDataDir } from "./unusable-data-dir.js";

const SURVEY_LIMIT_MS = 2000;

interface Surroundings {
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly announce: (text: string) => void;
  readonly consent: Consent;
}

/** All that an installation consists of, opened and fitting together. */
export interface OpenedState {
  readonly database: Database;
  readonly installation: Installation;
  readonly secrets: SecretBox;
  readonly operatorToken: string;
  readonly examination: Examination;
  /** Of a PostgreSQL database, which others could open too. */
  readonly hold: DatabaseHold | undefined;
}

/**
 * Opens the data directory and the database, and begins an installation where there is none.
 * @throws RefusedError when they do not fit together; nothing is written then
 */
export async function openState(
  config: Config,
  surroundings: Surroundings,
  lifetime: Lifetime,
): Promise<OpenedState> {
  const { dataDir, databaseUrl } = config;
  const { log, signal, consent } = surroundings;
  const lock = await lockDataDir(dataDir).catch((error: unknown) => {
    throw unusableDataDir(dataDir, error);
  });
  lifetime.add("data directory lock", () => lock.release());
  const files = await readDataDir(dataDir, config);
  requireFiles(files);
  const examination = new Examination(files, consent, () => surveyFor(config));
  const { admit } = examination;
  const hold = holdFor(config, surroundings);
  lifetime.add("hold of the database", async () => hold?.release());
  const database = await openDatabasePatiently({ databaseUrl, dataDir, log, signal, admit, hold });
  lifetime.add("database", () => database.close());
  lock.keep();
  signal.throwIfAborted();
  const installation = await settle(database.client, files, examination, surroundings);
  const secrets = await SecretBox.open(secretKeyFile(dataDir));
  await requireMatchingKey(database.client, secrets);
  // Last: where it stands, the installation was complete once.
  const noted = examination.accepted?.verdict === "adopt" ? undefined : files.installationId;
  await noteInstallationId(dataDir, installation.installationId, noted);
  if (!files.hasToken && files.installationId !== undefined) warnOfToken(config, log);
  const token = await operatorToken(dataDir, config.operatorToken);
  return { database, installation, secrets, operatorToken: token, examination, hold };
}

function holdFor(
  { databaseUrl, dataDir }: Config,
  { log, signal }: Surroundings,
): DatabaseHold | undefined {
  if (databaseUrl === undefined) return undefined;
  return new DatabaseHold({ databaseUrl, dataDir, log, signal });
}

async function surveyFor({ backend, ovsdb }: Config): Promise<SwitchFacts> {
  if (backend === "noop") return { state: "unused" };
  const forwarding = await surveySwitch(ovsdb, SURVEY_LIMIT_MS);
  return forwarding === undefined ? { state: "away" } : { state: "seen", forwarding };
}

async function settle(
  db: PrismaClient,
  { dataDir }: DataDirFiles,
  { accepted }: Examination,
  { announce, log, consent }: Surroundings,
): Promise<Installation> {
  if (accepted?.verdict !== "adopt") {
    if (consent === "adopt") log.warn({}, "--adopt: there is nothing to adopt; start without it");
    return loadInstallation(db);
  }
  const { installationId, mark, bridges } = accepted.identity;
  const lines = [
    `--adopt: this is installation ${installationId} from now on.`,
    `What its database does not know is REMOVED from the switch: ${bridges.join(", ")}.`,
  ];
  announce(banner(lines));
  log.warn({ installationId, bridges }, lines.join(" "));
  await forgetInstallationId(dataDir);
  return adoptIdentity(db, { installationId, mark });
}

function warnOfToken({ operatorToken: given, dataDir }: Config, log: Logger): void {
  if (given !== undefined) return;
  log.warn({ dataDir }, "the file operator-token was missing: a new operator's token was made up");
}
