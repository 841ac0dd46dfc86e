import { bold, dim, green, out, warn, yellow } from "../lib/terminal.mjs";
import { shortPath } from "./place.mjs";

/** The last thing that is seen while all goes well: how to use what runs. */
export function greet({ url, chosen, state, place }) {
  const ready = state === "ready";
  heading(ready ? green("Patchbay is ready") : yellow("Patchbay is waiting"));
  if (!ready) out(dim(`  see ${url}/readyz for what it waits for`));
  rows([
    ...usage(url, place),
    ["Switch", chosen.kind === "none" ? yellow(withoutSwitch(ready)) : chosen.label],
    ["Stop", "Ctrl-C"],
  ]);
}

const withoutSwitch = (ready) =>
  ready
    ? "none: no-op mode, no packets"
    : "none: it waits for the one that it has programmed before";

/** For whoever starts it a second time. */
export function greetAgain({ url, pid, place }) {
  heading(green("Patchbay is already running"));
  rows([...usage(url, place), ["Stop", `Ctrl-C where it was started, or: kill ${pid}`]]);
}

function usage(url, place) {
  return [
    ["API", `${url}/v1`],
    ["Documentation", `${url}/docs`],
    [
      "Operator token",
      process.env.PATCHBAY_OPERATOR_TOKEN
        ? "as set in PATCHBAY_OPERATOR_TOKEN"
        : shortPath(place.token),
    ],
    ["Requests, log", `tail -f ${shortPath(place.log)}`],
    ["Try it", "npm run demo   (in another terminal)"],
  ];
}

function heading(text) {
  out();
  out(bold(`  ${text}`));
}

function rows(pairs) {
  for (const [name, value] of pairs) out(`  ${name.padEnd(16)}${value}`);
  out();
}

export function explainNoSwitch(why) {
  warn([
    "NO OPEN VSWITCH: the API works (no-op mode), and no packet is forwarded. Why:",
    ...why.map((reason) => `  ${reason}`),
    "For the real thing: run as root on Debian or Ubuntu, or install openvswitch-switch,",
    "or set PATCHBAY_OVSDB to a switch that runs.",
  ]);
}
