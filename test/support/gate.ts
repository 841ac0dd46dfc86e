import { expect, vi } from "vitest";
import type { Outcome, Plan } from "../../src/backends/backend.js";
import type { TestApi } from "./api.js";

/** A switch that follows when it is let. */
export class Gate {
  #open: Promise<void> = Promise.resolve();
  #release = () => {};
  /** What comes out otherwise once a pass is let through. */
  alter = (outcome: Outcome): Outcome => outcome;

  readonly onApply = async (apply: () => Promise<Outcome>, _plan: Plan): Promise<Outcome> => {
    await this.#open;
    return this.alter(await apply());
  };

  close(): void {
    this.#open = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  open(): void {
    this.#release();
    this.#open = Promise.resolve();
  }
}

/** Passes run one after another: after this one nothing is behind. */
export async function everythingFollowed({ call, operatorToken }: TestApi): Promise<void> {
  await vi.waitFor(async () => {
    const { body } = await call(operatorToken, "GET", "/v1/vpcs?limit=1000");
    for (const { dataPlane } of body.items) expect(dataPlane.state).toBe("programmed");
  }, 10_000);
}
