/** How the database calls what the model labels. */
export interface Names {
  real(label: string): string;
  created(kind: string, id: string): void;
}

/** The ids of the database itself. */
export const realNames: Names = { real: (id) => id, created() {} };

/** Labels as the model gives them: numbered in the order of creation, whatever the kind. */
export class Labels implements Names {
  readonly #ids = new Map<string, string>();
  readonly #labels = new Map<string, string>();

  created(kind: string, id: string): void {
    const label = `${kind}-${this.#ids.size + 1}`;
    this.#ids.set(label, id);
    this.#labels.set(id, label);
  }

  real(label: string): string {
    const id = this.#ids.get(label);
    if (id === undefined) throw new Error(`nothing was created that is called ${label}`);
    return id;
  }

  /** The label of an id; the id itself when the model does not know it. */
  label(id: string): string {
    return this.#labels.get(id) ?? id;
  }
}
