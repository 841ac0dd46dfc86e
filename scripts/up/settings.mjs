import { rmSync, writeFileSync } from "node:fs";

const FOR_OTHERS = ["PATCHBAY_OVSDB", "PATCHBAY_OVS_RUNDIR", "PATCHBAY_DATAPATH"];

/** What `npm run demo` and a person in another terminal need (`. var/up.env`). */
export function writeSettings(place, url, env) {
  const settings = [["PATCHBAY_URL", url], ...FOR_OTHERS.map((name) => [name, env[name]])];
  const lines = settings
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}=${quoted(value)}\n`);
  if (!env.PATCHBAY_OPERATOR_TOKEN) {
    lines.push(`PATCHBAY_TOKEN=$(cat ${quoted(place.token)})\n`);
  }
  removeSettings(place);
  writeFileSync(place.settings, lines.join(""), { mode: 0o600 });
}

export function removeSettings(place) {
  rmSync(place.settings, { force: true });
}

/** For a shell; left as it is where that is safe. */
function quoted(text) {
  return /^[\w/.:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
