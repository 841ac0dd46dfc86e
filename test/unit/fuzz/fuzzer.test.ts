import { beforeEach, expect, test } from "vitest";
import { Fuzzer, reportOf } from "../../fuzz/fuzzer.js";
import type { Answer, Request } from "../../fuzz/transport.js";

/** A small service, described and kept here, that can be made to do wrong. */
class Service {
  readonly things: { id: string; tenantId: string }[] = [];
  /** Told of every call of a thing's making and reading before it is answered. */
  misbehave: (request: Request) => Answer | undefined = () => undefined;
  #made = 0;

  readonly answer = async (request: Request): Promise<Answer> => {
    const path = request.url.split("?")[0] ?? "";
    const body = parsed(request.body);
    if (path === "/openapi.json") return json(200, DESCRIPTION);
    if (path === "/v1/tenants") return json(201, { id: String(1e11 + ++this.#made) });
    if (path.endsWith("/access-keys")) {
      return request.method === "GET" ? page([]) : json(201, { token: path.split("/")[3] });
    }
    if (path === "/v1/events") return json(200, { items: [], nextAfter: 0 });
    return this.misbehave(request) ?? this.#things(request, body);
  };

  #things({ method, headers }: Request, body: Record<string, unknown> | undefined): Answer {
    const tenantId = headers["authorization"]?.slice("Bearer ".length) ?? "";
    const isOperator = tenantId === "operator";
    if (method === "GET") {
      return page(this.things.filter((thing) => isOperator || thing.tenantId === tenantId));
    }
    if (typeof body?.["name"] !== "string" || Object.keys(body).length !== 1) {
      return json(400, { code: "Bad" }, PROBLEM);
    }
    return json(201, this.make(tenantId));
  }

  make(tenantId: string) {
    const thing = { id: `subnet-${String(++this.#made).padStart(17, "0")}`, tenantId };
    this.things.push(thing);
    return thing;
  }
}

const PROBLEM = "application/problem+json";

const json = (status: number, body: unknown, contentType = "application/json"): Answer => ({
  status,
  contentType,
  text: JSON.stringify(body),
});
const page = (items: readonly unknown[]) => json(200, { items, nextCursor: null });

function parsed(text: string | undefined): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text ?? "");
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const THING = {
  type: "object",
  properties: { id: { type: "string" }, tenantId: { type: "string" } },
  required: ["id", "tenantId"],
  additionalProperties: false,
};

const answered = (schema: object, contentType = "application/json") => ({
  content: { [contentType]: { schema } },
});

const refused = answered(
  { type: "object", properties: { code: { type: "string" } }, required: ["code"] },
  PROBLEM,
);

const DESCRIPTION = {
  openapi: "3.1.0",
  components: { schemas: {} },
  paths: {
    "/v1/things": {
      get: {
        operationId: "listThings",
        parameters: [{ in: "query", name: "cursor", required: false, schema: { type: "string" } }],
        responses: {
          200: answered({ type: "object", properties: { items: { type: "array", items: THING } } }),
        },
      },
      post: {
        operationId: "makeThing",
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: {
                type: "object",
                properties: { name: { type: "string" } },
                required: ["name"],
              },
            },
          },
        },
        responses: { 201: answered(THING), 400: refused },
      },
    },
  },
};

let service = new Service();
beforeEach(() => {
  service = new Service();
});

async function fuzz(calls = 60): Promise<string[]> {
  const { answer: transport } = service;
  const fuzzer = await Fuzzer.start({ transport, operatorToken: "operator", seed: 3 });
  await fuzzer.run(calls);
  return reportOf(fuzzer.findings);
}

const isMaking = ({ method }: Request) => method === "POST";

test("a service that does as it says has no findings", async () => {
  expect(await fuzz()).toEqual([]);
  expect(service.things.length).toBeGreaterThan(3);
});

test("an internal error is found, with the seed and the smallest call", async () => {
  service.misbehave = (request) => (isMaking(request) ? json(500, {}) : undefined);
  const [finding = ""] = await fuzz();
  expect(finding).toMatch(/^FUZZ_SEED=3, call \d+, as .*: 500/);
  expect(finding).toContain("curl -sS -X POST");
  expect(finding).not.toContain('"name"');
});

test.each<[string, Answer]>([
  ["a status that is not declared", json(418, { code: "Teapot" }, PROBLEM)],
  ["a body that is not as declared", json(201, { id: "x", tenantId: "y", more: true })],
  ["a problem that is not as declared", json(400, {}, PROBLEM)],
  ["another content type", json(400, { code: "Bad" }, "text/html")],
])("%s is found", async (_, answer) => {
  service.misbehave = (request) => (isMaking(request) ? answer : undefined);
  expect(await fuzz()).toHaveLength(1);
});

test("a refused call that changes something is found", async () => {
  service.misbehave = (request) => {
    if (!isMaking(request)) return undefined;
    service.make("000000000009");
    return json(400, { code: "Bad" }, PROBLEM);
  };
  expect((await fuzz()).join()).toContain("400 changes something");
});

test("a tenant that is shown what is another's is found", async () => {
  service.misbehave = ({ method }) => (method === "GET" ? page(service.things) : undefined);
  expect((await fuzz()).join()).toContain("shows what is another tenant's: subnet-");
});
