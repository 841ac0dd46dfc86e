import type { Admit } from "../../store/database/admit.js";
import type { DatabaseFacts } from "../../store/database/facts.js";
import { RefusedError } from "../startup-error.js";
import type { DataDirFiles } from "./data-dir-files.js";
import {
  type Consent,
  judgeFiles,
  judgeParts,
  judgeState,
  judgeSwitch,
  type Parts,
  type SwitchFacts,
  type Verdict,
} from "./judge.js";

export type Accepted = Exclude<Verdict, { readonly verdict: "refuse" }>;

/** @throws RefusedError when the files alone tell that something is missing */
export function requireFiles(files: DataDirFiles): void {
  accept(judgeFiles(files));
}

/**
 * Judges a database and a switch before anything is written to them, and keeps what was found. A
 * database may be shown more than once: before it is made, and when it is there.
 */
export class Examination {
  /** Undefined until a database was shown. */
  accepted: Accepted | undefined;
  /** Whether the switch was looked at and answered. */
  sawSwitch = false;
  readonly #files: DataDirFiles;
  readonly #consent: Consent;
  readonly #survey: () => Promise<SwitchFacts>;

  constructor(files: DataDirFiles, consent: Consent, survey: () => Promise<SwitchFacts>) {
    this.#files = files;
    this.#consent = consent;
    this.#survey = survey;
  }

  readonly admit: Admit = async (database) => {
    // What was absent and is empty now has been made by us, on the strength of the first look.
    if (this.accepted !== undefined && database.state === "empty") return;
    const parts: Parts = {
      files: this.#files,
      database,
      keyFits: keyFits(this.#files, database),
    };
    const accepted = accept(judgeParts(parts));
    const isKnown = database.state === "installed" && database.backend === "ovs";
    this.accepted = isKnown ? accepted : await this.#withSwitch(parts);
  };

  /** For a switch that was away when the daemon started. @throws RefusedError */
  async admitSwitch(ownId: string): Promise<void> {
    const found = await this.#look();
    if (!this.sawSwitch) throw new Error("it does not answer");
    const verdict = judgeSwitch({ ownId, switch: found, consent: this.#consent });
    if (verdict !== undefined) accept(verdict);
  }

  async #withSwitch(parts: Parts): Promise<Accepted> {
    return accept(judgeState({ ...parts, switch: await this.#look(), consent: this.#consent }));
  }

  async #look(): Promise<SwitchFacts> {
    const found = await this.#survey();
    this.sawSwitch = found.state === "seen";
    return found;
  }
}

function keyFits({ secrets }: DataDirFiles, database: DatabaseFacts): boolean {
  if (secrets === undefined || database.state !== "installed") return false;
  return database.sealed.every(({ owner, text }) => secrets.opens(text, owner));
}

/** @throws RefusedError */
function accept(verdict: Verdict): Accepted {
  if (verdict.verdict === "refuse") throw new RefusedError(verdict.why, verdict.remedy);
  return verdict;
}
