import type { FastifyInstance } from "fastify";
import { HttpRefusal } from "../problems/http-refusal.js";
import { RequestInvalid } from "../problems/request-invalid.js";

const FRAGMENT = "A # and what follows it is never sent; a # that is meant is written %23.";

const UNREADABLE = "is not UTF-8, percent-encoded";

/**
 * Refuses queries that could be read only by a guess: the framework takes what it cannot decode as it
 * is, and what follows a `#` for a query. Paths it refuses itself, and Node whatever is not ASCII. To
 * be called on the root.
 */
export function requireReadableQueries(app: FastifyInstance): void {
  app.addHook("onRequest", async ({ url }) => {
    if (url.includes("#")) throw withFragment();
    const start = url.indexOf("?");
    if (start < 0 || !url.includes("%", start)) return;
    const pairs = url.slice(start + 1).split("&");
    const unreadable = pairs.find((pair) => decoded(pair) === undefined);
    if (unreadable !== undefined) throw unreadableParameter(unreadable);
  });
}

/** RFC 9112, section 3.2.1: the target of a request has none. */
function withFragment(): HttpRefusal {
  const errors = [{ pointer: "", detail: FRAGMENT }];
  return new HttpRefusal({ code: "ValidationError", detail: FRAGMENT, errors });
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
