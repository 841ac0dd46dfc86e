import type { ResourceEvent } from "../../../domain/resources.js";
import { presentEvent } from "./mapper.js";

/** Milliseconds after which a client that lost the connection should come back. */
const RETRY_MS = 1000;

const HEARTBEAT = ": nothing happened\n\n";

/**
 * Events as a text/event-stream (HTML, section 9.2.6). An event is named by its resource's type and
 * its action, such as `vpc-peering.accept`; its data is the item of the list.
 */
export async function* eventStreamText(
  batches: AsyncIterable<readonly ResourceEvent[]>,
): AsyncGenerator<string> {
  // At once, so that the caller sees the answer's head before anything happens.
  yield `retry: ${RETRY_MS}\n\n`;
  for await (const batch of batches) {
    yield batch.length === 0 ? HEARTBEAT : batch.map(eventText).join("");
  }
}

function eventText(event: ResourceEvent): string {
  const data = JSON.stringify(presentEvent(event));
  return `id: ${event.id}\nevent: ${event.resourceType}.${event.action}\ndata: ${data}\n\n`;
}
