import type { DatabaseFacts } from "./facts.js";

/**
 * Called with what a database says of itself before anything is written to it; throws when it must
 * not be used.
 */
export type Admit = (facts: DatabaseFacts) => Promise<void>;

export const admitAny: Admit = async () => undefined;
