import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { type ConnectionLimits, USUAL_LIMITS } from "../../../../src/api/connections/limits.js";
import { refuseExpectations } from "../../../../src/api/plugins/expectations.js";
import { requireHost } from "../../../../src/api/plugins/host-header.js";
import { problemDocuments } from "../../../../src/api/plugins/problem-documents.js";
import { createServer } from "../../../../src/api/server.js";
import type { Cidr } from "../../../../src/domain/cidr.js";
import { cert, key } from "../../../support/certificate.js";
import { type Place, type RawClient, rawClient, tlsClient } from "./raw-client.js";

export const GET = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/** More than the buffers of both ends take. */
const MUCH = Buffer.alloc(16 * 1024 * 1024, "x");

export interface Served {
  readonly app: FastifyInstance;
  readonly port: number;
  readonly logged: () => string;
  connect(place?: Partial<Place>): Promise<RawClient>;
  /** What the app was asked for, in this order. */
  readonly begun: readonly string[];
  /** Lets the calls of /held be answered. */
  release(): void;
}

/** A server with a few routes and these limits, else as it usually is. */
export async function serve(
  limits: Partial<ConnectionLimits>,
  isTls = false,
  trustedProxies: readonly Cidr[] = [],
): Promise<Served> {
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const app = createServer(log, {
    tls: isTls ? { cert, key } : undefined,
    limits: { ...USUAL_LIMITS, ...limits },
    trustedProxies,
  });
  problemDocuments(app, () => undefined);
  requireHost(app);
  refuseExpectations(app);
  const begun: string[] = [];
  app.addHook("onRequest", async ({ url }) => void begun.push(url));
  const held: Array<() => void> = [];
  app.get("/", async () => "answer");
  app.post("/", async () => "taken");
  app.get("/last", async (_request, reply) => reply.header("connection", "close").send("last"));
  app.get("/much", async () => MUCH);
  app.get("/held", () => new Promise((resolve) => void held.push(() => resolve("released"))));
  app.get("/stream", async (_request, reply) => {
    const text = new PassThrough();
    text.write("begun\n");
    return reply.send(text);
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const connect = (place = {}) => (isTls ? tlsClient : rawClient)({ port, ...place });
  const release = () => {
    for (const answer of held.splice(0)) answer();
  };
  return { app, port, logged: () => lines.join(""), connect, begun, release };
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: ReturnType<JSON["parse"]>;
}

const LAST_HEAD = /HTTP\/1\.1 [0-9]{3} (?!.*HTTP\/1\.1 [0-9]{3} )/s;

/** The last of the answers in a text. */
export function lastAnswer(text: string): RawAnswer {
  const [head = "", body = ""] = text.slice(text.search(LAST_HEAD)).split("\r\n\r\n");
  const isJson = /content-type: [^\r]*json/i.test(head);
  return { status: Number(head.slice(9, 12)), head, body: isJson ? JSON.parse(body) : body };
}
