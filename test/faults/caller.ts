import { randomUUID } from "node:crypto";
import { z } from "zod";
import { now, pace } from "./time.js";

const ANSWER_LIMIT_MS = 45_000;
const RETRY_MS = 100;
/** Longer than any fault holds, start of the daemon included. */
const PATIENCE_MS = 120_000;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Calls {
  acknowledged: number;
  refused: number;
  /** Sent, and no answer came back that says what became of it. */
  unanswered: number;
  /** Answers 500, which no fault excuses: 503 is the word for what is away. */
  internalErrors: number;
}

/** The first attempt at the same call has not been concluded: its outcome is not known yet. */
const UNDER_WAY = "IdempotentRequestInProgress";

const problem = z.object({ code: z.string(), detail: z.string() });

/** What a refusal says, for messages. */
export function reason({ status, body }: Answer): string {
  const parsed = problem.safeParse(body);
  return parsed.success ? `${status} ${parsed.data.code} ${parsed.data.detail}` : `${status}`;
}

/** REST calls with one credential, made until they are answered. */
export class Caller {
  readonly #url: string;
  readonly #token: string;
  readonly #calls: Calls;
  #trouble = "";

  constructor(url: string, token: string, calls: Calls) {
    this.#url = url;
    this.#token = token;
    this.#calls = calls;
  }

  /** Reads until there is an answer: 200 or 404. */
  async read(path: string): Promise<Answer> {
    const answer = await this.#persist(() => this.#once("GET", path));
    if (answer.status === 200 || answer.status === 404) return answer;
    throw new Error(`GET ${path} was answered ${reason(answer)}`);
  }

  /**
   * Makes one change, with one idempotency key, as often as it takes to learn what became of it.
   * @returns its success or its refusal (4xx)
   */
  async change(method: string, path: string, body?: object): Promise<Answer> {
    const key = randomUUID();
    const answer = await this.#persist(async () => {
      const result = await this.#once(method, path, { key, body });
      if (result === undefined) this.#calls.unanswered += 1;
      return result;
    });
    if (answer.status < 300) this.#calls.acknowledged += 1;
    else this.#calls.refused += 1;
    return answer;
  }

  async #persist(attempt: () => Promise<Answer | undefined>): Promise<Answer> {
    const deadline = now() + PATIENCE_MS;
    for (;;) {
      const answer = await attempt();
      if (answer !== undefined) return answer;
      if (now() > deadline) throw new Error(`no answer for two minutes: ${this.#trouble}`);
      await pace(RETRY_MS);
    }
  }

  /** @returns undefined when it is not known what became of the call: no answer, or a 5xx */
  async #once(
    method: string,
    path: string,
    { key, body }: { key?: string; body?: object | undefined } = {},
  ): Promise<Answer | undefined> {
    try {
      const response = await fetch(`${this.#url}/v1${path}`, {
        method,
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
        headers: {
          authorization: `Bearer ${this.#token}`,
          // A daemon that is killed and started again leaves pooled connections dead.
          connection: "close",
          ...(key !== undefined && { "idempotency-key": key }),
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status >= 500) {
        this.#trouble = `${method} ${path}: ${response.status} ${text}`;
        if (response.status === 500) this.#calls.internalErrors += 1;
        return undefined;
      }
      const answer = { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
      if (problem.safeParse(answer.body).data?.code !== UNDER_WAY) return answer;
      this.#trouble = `${method} ${path}: ${reason(answer)}`;
      return undefined;
    } catch (error) {
      // The daemon is away, or went away: that is what this is about.
      this.#trouble = `${method} ${path}: ${String(error)}`;
      return undefined;
    }
  }
}
