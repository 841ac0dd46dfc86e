import type { BackendKind } from "../domain/data-plane.js";

export interface BackendChoice {
  readonly kind: BackendKind;
  /** What an operator must not overlook, line by line. */
  readonly warning?: readonly string[];
}

interface Circumstances {
  readonly wanted: "auto" | BackendKind;
  /** Whether this installation has programmed a switch before. */
  readonly remembered: boolean;
  readonly ovsdb: string;
  /** Whether an OVSDB server has answered there. */
  readonly answers: boolean;
}

/**
 * What to work on. A data directory that has programmed a switch never turns no-op by itself:
 * its flows may be out there, and it waits for the switch instead.
 */
export function chooseBackend(circumstances: Circumstances): BackendChoice {
  const { wanted, remembered, ovsdb, answers } = circumstances;
  if (wanted === "ovs") return { kind: "ovs" };
  if (wanted === "noop") return remembered ? abandoned() : { kind: "noop" };
  if (remembered || answers) return { kind: "ovs" };
  return {
    kind: "noop",
    warning: [
      `No Open vSwitch answers at ${ovsdb}: running in NO-OP MODE.`,
      "The API works, but NOTHING IS PROGRAMMED and no packet will pass.",
      "Start Open vSwitch and restart the daemon, or set PATCHBAY_BACKEND.",
    ],
  };
}

function abandoned(): BackendChoice {
  return {
    kind: "noop",
    warning: [
      "This installation has programmed a switch before, and PATCHBAY_BACKEND=noop is set:",
      "flows and bridges on that switch STAY AS THEY ARE, whatever the API is told.",
      "Run ovs/purge.sh to remove them.",
    ],
  };
}

/** A frame that stands out between log lines. */
export function banner(lines: readonly string[]): string {
  const width = Math.max(...lines.map((line) => line.length));
  const rule = "*".repeat(width + 4);
  return ["", rule, ...lines.map((line) => `* ${line.padEnd(width)} *`), rule, "", ""].join("\n");
}
