import { Signals } from "./signals.js";

// To load all the rest takes most of a second, in which a signal would end the process without a word.
const signals = new Signals();

const { run } = await import("./run.js");
await run(signals);
