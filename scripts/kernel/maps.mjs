import { readFileSync, writeFileSync } from "node:fs";
import { note } from "../lib/terminal.mjs";

const LIMIT = "/proc/sys/vm/max_map_count";
const NEEDED = 1_048_576;

let guests = 0;
let before;

/**
 * Lets a process of this machine have as many mappings as a guest takes while `work` runs: each page
 * of a guest's process is one. With too few of them the guest says that it is out of memory, and
 * kills what asked for it.
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 * @template T
 */
export async function withRoomForMaps(work) {
  if (guests === 0) raise();
  guests += 1;
  try {
    return await work();
  } finally {
    guests -= 1;
    if (guests === 0) restore();
  }
}

function raise() {
  before = Number(readFileSync(LIMIT, "utf8"));
  if (before >= NEEDED) return;
  writeFileSync(LIMIT, `${NEEDED}`);
  note(`vm.max_map_count is ${NEEDED} instead of ${before} while guests run`);
}

/** What somebody else has set meanwhile stays. */
function restore() {
  if (before < NEEDED && Number(readFileSync(LIMIT, "utf8")) === NEEDED) {
    writeFileSync(LIMIT, `${before}`);
  }
}
