/** @returns {Promise<Map<string, string>>} what each flow of a bridge does, by what it is */
export async function readFlows({ ofctl }, bridge) {
  return parseFlows(await ofctl(bridge, "dump-flows", "--no-stats"));
}

export function parseFlows(text) {
  const flows = new Map();
  for (const line of text.split("\n")) {
    const [, identity, actions] = /^ *(\S.*?) actions=(.*)$/.exec(line) ?? [];
    // The cookie says whose a flow is; a flow with another one was written anew.
    const [, cookie, rest] = /^cookie=(\w+), (.*)$/.exec(identity ?? "") ?? [];
    if (rest !== undefined) flows.set(rest, `${cookie} ${actions}`);
  }
  return flows;
}

/** How many flows are there now and were not, are gone, or do something else. */
export function touchedFlows(before, after) {
  const added = [...after.keys()].filter((key) => !before.has(key)).length;
  const removed = [...before.keys()].filter((key) => !after.has(key)).length;
  const changed = [...after].filter(
    ([key, actions]) => before.has(key) && before.get(key) !== actions,
  ).length;
  return { added, removed, changed, total: added + removed + changed };
}

/** @returns {[table: number, flows: number][]} in the order of tables */
export function countByTable(flows) {
  const counts = new Map();
  for (const key of flows.keys()) {
    const number = Number(/(?:^|\W)table=(\d+)/.exec(key)?.[1] ?? 0);
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b);
}
