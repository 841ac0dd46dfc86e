import { DomainError } from "../../../domain/errors.js";
import type { ResourceEvent } from "../../../domain/resources.js";
import { problemDocument } from "../../problems/problem.js";
import { routeEntry } from "../route-table.js";
import { presentEvent } from "./mapper.js";

/** Milliseconds after which a client that lost the connection should come back. */
const RETRY_MS = 1000;

const HEARTBEAT = ": nothing happened\n\n";

/**
 * Events as a text/event-stream (HTML, section 9.2.6). An event is named by its resource's type and
 * its action, such as `vpc-peering.accept`; its data is the item of the list. When it cannot go on
 * without a gap, the last one is `gone`.
 */
export async function* eventStreamText(
  batches: AsyncIterable<readonly ResourceEvent[]>,
): AsyncGenerator<string> {
  // At once, so that the caller sees the answer's head before anything happens.
  yield `retry: ${RETRY_MS}\n\n`;
  try {
    for await (const batch of batches) {
      yield batch.length === 0 ? HEARTBEAT : batch.map(eventText).join("");
    }
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== "Gone") throw error;
    yield goneText(error.message);
  }
}

/** Without an id, so that a client that comes back as it is gets the same answer. */
function goneText(detail: string): string {
  const problem = problemDocument({ code: "Gone", detail }, routeEntry("streamEvents").url);
  return `event: gone\ndata: ${JSON.stringify(problem)}\n\n`;
}

function eventText(event: ResourceEvent): string {
  const data = JSON.stringify(presentEvent(event));
  return `id: ${event.id}\nevent: ${event.resourceType}.${event.action}\ndata: ${data}\n\n`;
}
