/** One attempt's hold on an idempotency key: it may commit a change as long as nobody took over. */
export interface IdempotencyClaim {
  /** The tenant whose key it is, or "operator". */
  readonly owner: string;
  readonly key: string;
  /** Random, of this attempt alone. */
  readonly attempt: string;
}
