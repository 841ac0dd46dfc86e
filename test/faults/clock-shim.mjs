// Loaded into the daemon before its own code (node --import): what it takes for the time of day is
// off by what a file says. As with a stepped CLOCK_REALTIME, timers go on undisturbed.
import { readFileSync } from "node:fs";

const LOOK_EVERY_MS = 20;
const file = process.env.FAULTS_CLOCK_FILE;
const RealDate = Date;
let offsetMs = 0;

function look() {
  offsetMs = Number(readFileSync(file, "utf8")) || 0;
}

const shiftedNow = () => RealDate.now() + offsetMs;

if (file !== undefined) {
  look();
  setInterval(look, LOOK_EVERY_MS).unref();
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [shiftedNow()] : args, newTarget),
    apply: () => new RealDate(shiftedNow()).toString(),
    get: (target, name, receiver) =>
      name === "now" ? shiftedNow : Reflect.get(target, name, receiver),
  });
}
