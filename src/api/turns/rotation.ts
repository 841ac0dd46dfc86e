/** Lines of things that wait: one is taken from the front of each line in turn. */
export class Rotation<T> {
  /** No line is empty; the one whose turn is next comes first. */
  readonly #lines = new Map<string, Set<T>>();

  add(name: string, item: T): void {
    const line = this.#lines.get(name);
    if (line === undefined) this.#lines.set(name, new Set([item]));
    else line.add(item);
  }

  /** False when it does not wait. */
  remove(name: string, item: T): boolean {
    const line = this.#lines.get(name);
    if (line === undefined || !line.delete(item)) return false;
    if (line.size === 0) this.#lines.delete(name);
    return true;
  }

  take(): T | undefined {
    for (const [name, line] of this.#lines) {
      for (const item of line) {
        line.delete(item);
        this.#lines.delete(name);
        if (line.size > 0) this.#lines.set(name, line);
        return item;
      }
    }
    return undefined;
  }
}
