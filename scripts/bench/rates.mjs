import { ENGINES } from "./engines.mjs";
import { inTurn, makeRow } from "./rows.mjs";

/**
 * What a daemon does in a second on each engine there is, beside something that does only the core
 * of it.
 * @param {object} what
 * @param {string} what.does the row's name, without the engine
 * @param {string} what.run what is done in one run, for who waits
 * @param {string} what.beside the name of the other side
 * @param {(daemon: object, engine: string) => Promise<Record<"daemon" | "bare", () => Promise<number>>>}
 *   what.sidesOn
 */
export async function measureRates({ lent, runs, progress }, { does, run, beside, sidesOn }) {
  const rows = [];
  for (const engine of Object.keys(ENGINES)) {
    const daemon = await lent.daemonOn(engine);
    if (daemon === undefined) continue;
    progress(`${runs} runs of ${run}, ${engine}`);
    const sides = await sidesOn(daemon, engine);
    for (const side of Object.values(sides)) await side();
    const found = await inTurn(runs, sides);
    rows.push(
      makeRow({
        name: `${does}, ${engine}`,
        unit: "/s",
        better: "higher",
        values: found.daemon,
        beside: { name: beside, values: found.bare },
      }),
    );
  }
  return rows;
}
