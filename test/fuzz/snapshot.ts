import type { Operation } from "./document.js";
import type { World } from "./world.js";

/** Told as it is at the moment, and changes without anybody's call. */
const PASSING = ["dataPlane", "lastUsedAt"];

const MOST_LOOKS = 50;

/** Looks at all that is stored, through what the operator may list. */
export class Snapshots {
  readonly #world: World;
  readonly #lists: readonly string[];
  #event = 0;

  constructor(world: World, operations: readonly Operation[]) {
    this.#world = world;
    this.#lists = operations
      .filter(({ method, path, parameters }) => {
        const names = parameters.map(({ name }) => name);
        return method === "GET" && !path.includes("{") && names.includes("cursor");
      })
      .map(({ path }) => path);
  }

  /** Once what is under way has settled: as it is twice in a row. */
  async settled(): Promise<string> {
    let before = await this.#take();
    for (let look = 0; look < MOST_LOOKS; look += 1) {
      const now = await this.#take();
      if (now === before) return now;
      before = now;
    }
    throw new Error("the state does not settle");
  }

  async #take(): Promise<string> {
    const pages = [];
    for (const path of this.#lists) pages.push(await this.#all(path));
    const listed = JSON.stringify(pages);
    // One that is empty may have been deleted by a call.
    const tenants = this.#world.tenantIds().filter((id) => listed.includes(`"id":"${id}"`));
    for (const id of tenants) pages.push(await this.#all(`/v1/tenants/${id}/access-keys`));
    pages.push(await this.#newestEvent());
    return JSON.stringify(pages, (name, value) => (PASSING.includes(name) ? undefined : value));
  }

  async #all(path: string): Promise<unknown[]> {
    const items: unknown[] = [];
    let cursor: string | null = null;
    do {
      const from: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await this.#world.ask("GET", `${path}?limit=1000${from}`);
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return items;
  }

  /** Goes on from the newest that was seen before. */
  async #newestEvent(): Promise<number> {
    for (;;) {
      const page = await this.#world.ask("GET", `/v1/events?limit=1000&after=${this.#event}`);
      if (page.items.length === 0) return this.#event;
      this.#event = page.nextAfter;
    }
  }
}
