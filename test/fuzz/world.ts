import type { Caller } from "./calls.js";
import type { Transport } from "./transport.js";

const ROLES = { admin: ["admin"], viewer: ["viewer"] } as const;

interface Seat {
  readonly name: string;
  readonly tenant: string;
  readonly roles: readonly string[];
}

const SEATS: readonly Seat[] = [
  { name: "admin of A", tenant: "A", roles: ROLES.admin },
  { name: "admin of B", tenant: "B", roles: ROLES.admin },
  { name: "viewer of A", tenant: "A", roles: ROLES.viewer },
];

/** Two tenants and those who call for them; whoever is locked out is let in anew. */
export class World {
  readonly #transport: Transport;
  readonly #operatorToken: string;
  readonly #tenants = new Map<string, string>();
  readonly #tokens = new Map<string, string>();

  constructor(transport: Transport, operatorToken: string) {
    this.#transport = transport;
    this.#operatorToken = operatorToken;
  }

  async open(): Promise<void> {
    for (const seat of SEATS) await this.#letIn(seat);
  }

  /** With those more often who can do more. */
  callers(): Caller[] {
    const [a, b, viewer] = SEATS.map((seat) => this.#callerOn(seat));
    if (!a || !b || !viewer) throw new Error("the world is not open");
    const operator = { name: "operator", tenant: "operator", token: this.#operatorToken };
    const nobody = { name: "nobody", tenant: "nobody" };
    return [a, a, a, a, b, b, b, b, viewer, operator, operator, nobody];
  }

  /** After a tenant was suspended or a key revoked by a call of the operator's or its own. */
  async letInAgain({ name }: Caller): Promise<void> {
    const seat = SEATS.find((candidate) => candidate.name === name);
    if (seat !== undefined) await this.#letIn(seat);
  }

  /** As the operator. @returns the parsed answer, which must be a success */
  async ask(method: string, url: string, body?: object): Promise<ReturnType<JSON["parse"]>> {
    const { status, text } = await this.#try(method, url, body);
    if (status >= 300) throw new Error(`${method} ${url}: ${status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** The tenants' ids. */
  tenantIds(): string[] {
    return [...this.#tenants.values()];
  }

  #try(method: string, url: string, body?: object) {
    return this.#transport({
      method,
      url,
      headers: {
        authorization: `Bearer ${this.#operatorToken}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  async #letIn({ name, tenant, roles }: Seat): Promise<void> {
    const id = await this.#openTenant(tenant);
    const { token } = await this.ask("POST", `/v1/tenants/${id}/access-keys`, { roles });
    this.#tokens.set(name, token);
  }

  async #openTenant(tenant: string): Promise<string> {
    const known = this.#tenants.get(tenant);
    if (known !== undefined) {
      const resumed = await this.#try("PATCH", `/v1/tenants/${known}`, { suspended: false });
      if (resumed.status === 200) return known;
    }
    const { id } = await this.ask("POST", "/v1/tenants", { name: tenant });
    this.#tenants.set(tenant, id);
    return id;
  }

  #callerOn({ name, tenant }: Seat): Caller | undefined {
    const token = this.#tokens.get(name);
    return token === undefined ? undefined : { name, tenant, token };
  }
}
