import type { Backend } from "../backends/backend.js";
import { BackendError } from "../backends/backend.js";
import { DomainError } from "../domain/errors.js";
import { DATABASE_TROUBLES, explainFailure } from "../services/database-trouble.js";
import type { DatabaseHold } from "../store/database/hold.js";

type Held = Pick<DatabaseHold, "state"> | undefined;

/** Who does not hold the database takes in no changes: another daemon may be writing to it. */
export function databaseRefusal(hold: Held): DomainError | undefined {
  if (hold === undefined || hold.state.kind === "held") return undefined;
  const { state } = hold;
  return state.kind === "another" ? new DomainError("DatabaseHeldByAnother", ANOTHER) : away(state);
}

const ANOTHER =
  "Another daemon works on the database, and takes in changes. This one answers reads only.";

/** Most often the hold is lost because the database is away: then it is told as ever. */
function away({ cause }: { readonly cause?: unknown }): DomainError {
  const { code, detail } = DATABASE_TROUBLES.unreachable;
  return explainFailure(cause) ?? new DomainError(code, detail);
}

/** While another daemon works on the database, the switch is that one's too. */
export function onlyWhileHeld(backend: Backend, hold: Held): Backend {
  if (hold === undefined) return backend;
  const plan = backend.plan.bind(backend);
  backend.plan = async (intent, options) => {
    const { state } = hold;
    if (state.kind !== "another") return plan(intent, options);
    await Promise.allSettled([intent]);
    throw new BackendError(`another daemon works on the database (${state.holder})`);
  };
  return backend;
}

/** The switch goes to the daemon that has the database; otherwise neither of them could work. */
export function followHold(
  hold: DatabaseHold,
  backend: Pick<Backend, "standDown" | "standUp">,
  reload: () => Promise<void>,
): void {
  hold.onYielded = () => backend.standDown();
  hold.onRegained = async () => {
    await reload();
    backend.standUp();
  };
}
