import type { FastifyInstance } from "fastify";
import { RequestInvalid } from "../problems/request-invalid.js";

const UNREADABLE = "is not UTF-8, percent-encoded";

/**
 * Refuses queries that could be read only by a guess: the framework takes what it cannot decode as it
 * is. Paths it refuses itself, and Node whatever is not ASCII. To be called on the root.
 */
export function requireReadableQueries(app: FastifyInstance): void {
  app.addHook("onRequest", async ({ url }) => {
    const start = url.indexOf("?");
    if (start < 0 || !url.includes("%", start)) return;
    const pairs = url.slice(start + 1).split("&");
    const unreadable = pairs.find((pair) => decoded(pair) === undefined);
    if (unreadable !== undefined) throw unreadableParameter(unreadable);
  });
}

/** By its name as far as that can be read. */
function unreadableParameter(pair: string): RequestInvalid {
  const [name = ""] = pair.split("=", 1);
  return RequestInvalid.parameter("query", decoded(name) ?? name, UNREADABLE);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
