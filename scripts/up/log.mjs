import { closeSync, existsSync, openSync, readFileSync, renameSync } from "node:fs";
import { out } from "../lib/terminal.mjs";

const LAST_LINES = 10;

/** A fresh log of the daemon, for its user only; the one before is kept beside it. */
export function beginLog(file) {
  if (existsSync(file)) renameSync(file, `${file}.1`);
  closeSync(openSync(file, "a", 0o600));
}

/** Runs `start` with the log opened for appending. */
export function withLog(file, start) {
  const log = openSync(file, "a", 0o600);
  try {
    return start(log);
  } finally {
    closeSync(log);
  }
}

/** What the daemon said last, for whoever wonders why it ended. */
export function showEnd(file) {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-LAST_LINES);
  for (const line of lines) out(`  ${line}`);
}
