// Loaded into a daemon that is started with --expose-gc: at each SIGUSR2 collects what is garbage
// and writes how often it was asked, and how many bytes are left, into a file.
import { renameSync, writeFileSync } from "node:fs";

const file = process.env.FUZZ_HEAP_FILE;
let asked = 0;

process.on("SIGUSR2", () => {
  // What waits for finalisers is garbage in the second round only.
  global.gc();
  global.gc();
  asked += 1;
  writeFileSync(`${file}.new`, `${asked} ${process.memoryUsage().heapUsed}`);
  renameSync(`${file}.new`, file);
});
