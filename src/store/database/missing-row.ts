/** A row that is always there is not: somebody has emptied its table. */
export class MissingRowError extends Error {
  override readonly name = "MissingRowError";
  /** SQLSTATE: data corrupted. */
  readonly code = "XX001";

  constructor(table: string) {
    super(`the table ${table} has lost its row`);
  }
}
