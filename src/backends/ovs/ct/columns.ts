/** The watched columns of the tables that came with Open vSwitch 2.13. */
export const CT_COLUMNS = {
  Datapath: ["ct_zones", "capabilities"],
  CT_Zone: ["timeout_policy", "external_ids"],
  CT_Timeout_Policy: ["timeouts", "external_ids"],
} as const;

type Requests = Readonly<Record<string, { readonly columns: readonly string[] }>>;

/**
 * What may be asked of a database: an older one knows nothing of conntrack's zones, and refuses
 * whoever asks for a table that it has not.
 * @param schema answer to `get_schema` (RFC 7047, section 4.1.2)
 * @param requests monitored columns by table
 */
export function requestsFor(schema: unknown, requests: Requests): Requests {
  if (knowsConntrackZones(schema)) return requests;
  const isOld = (table: string) => !(table in CT_COLUMNS);
  return Object.fromEntries(
    Object.entries(requests)
      .filter(([table]) => isOld(table))
      .map(([table, { columns }]) => [
        table,
        { columns: columns.filter((column) => column !== "datapaths") },
      ]),
  );
}

export function knowsConntrackZones(schema: unknown): boolean {
  const { tables } = (schema ?? {}) as { readonly tables?: Readonly<Record<string, unknown>> };
  return Object.keys(CT_COLUMNS).every((table) => tables?.[table] !== undefined);
}
