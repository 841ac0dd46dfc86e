/** One action; `text` is the switch's own spelling (ovs-actions(7)). */
export interface Action {
  readonly name: ActionName;
  readonly text: string;
  /** The table that it continues in. */
  readonly next?: number;
  /** The table that it looks into, to come back with what that has put into registers. */
  readonly calls?: number;
}

export type ActionName =
  | "set_field"
  | "move"
  | "dec_ttl"
  | "output"
  | "IN_PORT"
  | "goto_table"
  | "resubmit"
  | "ct"
  | "conjunction";

/** `value` in the spelling of the field: a MAC or IPv4 address, or a number. */
export function setField(field: string, value: string | number): Action {
  return { name: "set_field", text: `set_field:${value}->${field}` };
}

/** Registers print in hexadecimal, except zero. */
export function setRegister(register: string, value: number): Action {
  return setField(register, value === 0 ? "0" : `0x${value.toString(16)}`);
}

/** Copies a whole field; names are those of the Nicira extended match, without brackets. */
export function move(from: string, to: string): Action {
  return { name: "move", text: `move:${from}[]->${to}[]` };
}

/** Copies some bits of a field, such as `NXM_NX_REG6[8..15]`. */
export function moveBits(from: string, to: string): Action {
  return { name: "move", text: `move:${from}->${to}` };
}

/** Looks the packet up in another table and goes on with the next action. */
export function resubmit(table: number): Action {
  return { name: "resubmit", text: `resubmit(,${table})`, calls: table };
}

/** Looks the connection up and goes on in a table with the `ct_*` fields set (ovs-actions(7)). */
export function track(zone: string, table: number): Action {
  return { name: "ct", text: `ct(table=${table},zone=${zone})`, next: table };
}

/**
 * Remembers the connection in a zone, with what `noting` puts into its mark and label. With `table`
 * the packet goes on there, with the connection's `ct_*` fields as they are then.
 */
export function commit(zone: string, noting: readonly Action[], table?: number): Action {
  const notes = noting.map(({ text }) => text).join(",");
  const goingOn = table === undefined ? "" : `table=${table},`;
  const text = `ct(commit,${goingOn}zone=${zone},exec(${notes}))`;
  return { name: "ct", text, ...(table !== undefined && { next: table }) };
}

/** Fulfils one of `of` conditions; the flow that matches `conj_id=id` acts once all are. */
export function conjunction(id: number, clause: number, of: number): Action {
  return { name: "conjunction", text: `conjunction(${id},${clause}/${of})` };
}

export function output(port: number): Action {
  return { name: "output", text: `output:${port}` };
}

export function gotoTable(table: number): Action {
  return { name: "goto_table", text: `goto_table:${table}`, next: table };
}

export const decrementTtl: Action = { name: "dec_ttl", text: "dec_ttl" };

/** Back to where the packet came from; `output` to that port would be suppressed. */
export const toIngressPort: Action = { name: "IN_PORT", text: "IN_PORT" };

export function formatActions(actions: readonly Action[]): string {
  return actions.length === 0 ? "drop" : actions.map((action) => action.text).join(",");
}
