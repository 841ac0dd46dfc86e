import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isAlive, processState, sleep } from "./process.mjs";

/**
 * Takes a lock file for this process; one that a killed process left behind is taken over.
 * @returns {{ release(): void } | undefined} undefined: a living process holds it
 */
export function tryLock(file) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const ours = JSON.stringify({
    pid: process.pid,
    startedAt: processState(process.pid)?.startedAt,
  });
  for (let attempt = 0; attempt < 5; attempt++) {
    if (createExclusively(file, ours)) return { release: () => removeIf(file, ours) };
    const theirs = readIfThere(file);
    if (theirs === undefined) continue;
    if (isHeld(theirs)) return undefined;
    removeIf(file, theirs);
  }
  return undefined;
}

/** @returns {number | undefined} the living process that holds a lock file */
export function holderOf(file) {
  const content = readIfThere(file);
  return content !== undefined && isHeld(content) ? JSON.parse(content).pid : undefined;
}

/** Runs `work` when no other process of this clone is in the same place. */
export async function withLock(file, work) {
  let lock = tryLock(file);
  while (lock === undefined) {
    await sleep(200);
    lock = tryLock(file);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function createExclusively(file, content) {
  try {
    writeFileSync(file, content, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function isHeld(content) {
  const holder = /^\{"pid":(\d+)(?:,"startedAt":"(\d+)")?\}$/.exec(content);
  if (holder === null) return false;
  const pid = Number(holder[1]);
  const startedAt = processState(pid)?.startedAt;
  return isAlive(pid) && (startedAt === undefined || startedAt === holder[2]);
}

/** Removes the file if it still holds this content: between reading and removing, another process
 * may have taken the lock over; then it gets its file back. */
function removeIf(file, content) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  if (readFileSync(aside, "utf8") === content) rmSync(aside);
  else renameSync(aside, file);
}
