/**
 * A match in the switch's own canonical spelling: field to value, `true` for bare protocol words
 * such as `ip`. Order carries no meaning.
 */
export type Match = Readonly<Record<string, string | true>>;

/** One OpenFlow flow. Table + priority + match identify it; cookie and actions are its value. */
export interface Flow {
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly match: Match;
  /** Actions in the switch's canonical spelling, `drop` when there are none. */
  readonly actions: string;
  /**
   * Timeouts, importance and flags of an installed flow, such as `idle_timeout=60`. Rendered flows
   * never have any: they are part of the value, so that a flow with them never equals one of ours.
   */
  readonly extras?: readonly string[];
}
