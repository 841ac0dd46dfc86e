import { ENGINES, freshDatabase, startNoop } from "./engines.mjs";
import { makeLargeBridge } from "./large-bridge.mjs";

/**
 * What takes long to make and serves several sections: made for the first that asks, gone with the
 * whole run.
 * @typedef {object} Lent
 * @property {() => ReturnType<typeof makeLargeBridge>} largeBridge
 * @property {(engine: string) => Promise<object | undefined>} daemonOn without a switch; undefined
 *   where the engine is not installed
 */

/** @returns {Lent} */
export function lend(context) {
  const daemonOn = Object.fromEntries(
    Object.entries(ENGINES).map(([engine, make]) => [engine, once(() => daemonFor(make, context))]),
  );
  return {
    largeBridge: once(() => makeLargeBridge(context)),
    daemonOn: (engine) => daemonOn[engine](),
  };
}

function once(make) {
  let made;
  return () => {
    made ??= make();
    return made;
  };
}

async function daemonFor(make, context) {
  const database = await freshDatabase(make, context.undo);
  if (database === undefined) return undefined;
  context.progress(`a daemon on ${database.engine}`);
  return startNoop(database, context);
}
