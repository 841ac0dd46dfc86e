import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";

/** A request whose path and bytes are sent as they are, which `inject` would put in order. */
export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Buffer | string;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export type RawAsk = (asked: RawRequest) => Promise<RawAnswer>;

/** Lets the app listen on a port of its own. Requests go over a connection each. */
export async function rawHttp(app: FastifyInstance): Promise<RawAsk> {
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return async ({ method = "GET", path, headers = {}, body }) => {
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const options = { host: "127.0.0.1", port, agent: false, method, path };
    const sent = { host: `127.0.0.1:${port}`, ...length, ...headers };
    const asked = request({ ...options, headers: Object.entries(sent).flatMap(lines) });
    asked.end(body);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    return { status: answer.statusCode ?? 0, headers: answer.headers, text };
  };
}

/** Name and value of each line: as an object, `Host` could not be sent twice. */
function lines([name, values]: [string, string | readonly string[]]): string[] {
  return [values].flat().flatMap((value) => [name, value]);
}
