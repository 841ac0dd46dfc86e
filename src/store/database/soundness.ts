import type { MigrationConnection } from "./migrate.js";

/** Tables with a primary key of one column or more, and that key. */
const selectTables = `SELECT c.relname AS name,
    string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS key
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
  CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attribute, place)
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attribute
  WHERE i.indisprimary GROUP BY c.relname ORDER BY c.relname`;

/**
 * Reads the first row of every table by way of its index: what a table's file has lost is an error
 * then, where a plain scan would take it for a table without rows.
 */
export async function touchEveryTable(connection: MigrationConnection): Promise<void> {
  const tables = await connection.query<{ name: string; key: string }>(selectTables, []);
  await connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off");
  for (const { name, key } of tables) {
    await connection.query(`SELECT * FROM "${name}" ORDER BY ${key} LIMIT 1`, []);
  }
  await connection.execute("RESET enable_seqscan; RESET enable_bitmapscan");
}
