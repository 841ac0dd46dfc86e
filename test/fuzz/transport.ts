import type { FastifyInstance } from "fastify";

export interface Request {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  /** Empty where there is none. */
  readonly contentType: string;
  readonly text: string;
}

export type Transport = (request: Request) => Promise<Answer>;

/** To an app in this process. */
export function injected(app: FastifyInstance): Transport {
  return async ({ method, url, headers, body }) => {
    const answer = await app.inject({
      method: method as "GET",
      url,
      headers,
      ...(body !== undefined && { payload: body }),
    });
    const contentType = String(answer.headers["content-type"] ?? "");
    return { status: answer.statusCode, contentType, text: answer.body };
  };
}

/** @param base without a final slash */
export function overHttp(base: string): Transport {
  return async ({ method, url, headers, body }) => {
    const answer = await fetch(`${base}${url}`, {
      method,
      headers,
      ...(body !== undefined && { body }),
    });
    const contentType = answer.headers.get("content-type") ?? "";
    return { status: answer.status, contentType, text: await answer.text() };
  };
}

/** @returns the request as a line for a shell, where TOKEN is the caller's */
export function curlLine({ method, url, headers, body }: Request): string {
  const named = Object.entries(headers).map(([name, value]) =>
    name === "authorization"
      ? `-H "Authorization: Bearer $TOKEN"`
      : `-H ${quoted(`${name}: ${value}`)}`,
  );
  const data = body === undefined ? [] : ["--data-binary", quoted(body)];
  return ["curl", "-sS", "-X", method, ...named, ...data, `"$URL"${quoted(url)}`].join(" ");
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
