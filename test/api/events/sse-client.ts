/** One server-sent event, as a client sees it. */
export interface Frame {
  readonly id: number;
  readonly event: string;
  readonly data: EventItem;
}

export interface EventItem {
  readonly id: number;
  readonly resource: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly actor: { readonly tenantId: string | null; readonly accessKeyId: string | null };
  readonly before: string | null;
  readonly after: string | null;
}

export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** The next frame; undefined once the server has ended the stream in good order. */
  next(): Promise<Frame | undefined>;
  take(count: number): Promise<Frame[]>;
  /** Waits for the end that the server makes; frames that come before are given back. */
  rest(): Promise<Frame[]>;
  /** Goes away without a word. */
  leave(): void;
}

/** @param query such as `?after=7` */
export async function openStream(
  url: string,
  token: string,
  { query = "", lastEventId }: { query?: string; lastEventId?: number } = {},
): Promise<EventStream> {
  const abort = new AbortController();
  const response = await fetch(`${url}/v1/events/stream${query}`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(lastEventId !== undefined && { "last-event-id": String(lastEventId) }),
    },
    signal: abort.signal,
  });
  const frames = framesOf(response);
  const next = async () => (await frames.next()).value ?? undefined;
  const take = async (count: number) => {
    const taken: Frame[] = [];
    while (taken.length < count) {
      const frame = await next();
      if (frame === undefined) throw new Error(`the stream ended after ${taken.length} events`);
      taken.push(frame);
    }
    return taken;
  };
  const rest = async () => {
    const taken: Frame[] = [];
    for await (const frame of frames) taken.push(frame);
    return taken;
  };
  const { status, headers } = response;
  return { status, headers, next, take, rest, leave: () => abort.abort() };
}

async function* framesOf({ body }: Response): AsyncGenerator<Frame> {
  if (body === null) return;
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(block.split("\n").map((line) => splitOnce(line)));
      const data = fields.get("data");
      if (data === undefined) continue;
      yield {
        id: Number(fields.get("id")),
        event: fields.get("event") ?? "",
        data: JSON.parse(data),
      };
    }
  }
  if (text !== "") throw new Error(`the stream ended within an event: ${text}`);
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf(": ");
  return [line.slice(0, at), line.slice(at + 2)];
}
