import type { Consent } from "./daemon/state/judge.js";

export const USAGE = `usage: node dist/main.js [--adopt | --beside]

Settings are environment variables: docs/configuration.md.
Both say what to do, at a first start, with an installation that the switch forwards for and that no
daemon serves:
  --adopt    take its place: what the database does not know is removed from the switch
  --beside   leave it alone, and begin another one beside it
`;

/** The command line cannot be understood. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export type Arguments = { readonly help: true } | { readonly help: false; consent: Consent };

/** @throws UsageError */
export function readArguments(given: readonly string[]): Arguments {
  const flags = new Set(given);
  const unknown = [...flags].filter((flag) => !KNOWN.has(flag));
  if (unknown.length > 0) throw new UsageError(`unknown argument: ${unknown.join(" ")}`);
  if (flags.has("--help")) return { help: true };
  if (flags.size > 1) throw new UsageError("--adopt and --beside exclude each other");
  const consent = flags.has("--adopt") ? "adopt" : flags.has("--beside") ? "beside" : undefined;
  return { help: false, consent };
}

const KNOWN: ReadonlySet<string> = new Set(["--adopt", "--beside", "--help"]);
