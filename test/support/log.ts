import type { StoreLog } from "../../src/store/database/open.js";

export interface RecordedLine {
  readonly level: "info" | "warn" | "error";
  readonly details: object;
  readonly message: string;
}

/** A log that remembers. */
export function recordingLog(): StoreLog & { readonly lines: readonly RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const at = (level: RecordedLine["level"]) => (details: object, message: string) => {
    lines.push({ level, details, message });
  };
  return { lines, info: at("info"), warn: at("warn"), error: at("error") };
}
