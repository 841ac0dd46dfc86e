/** Of `names`, the one that the fewest edits separate from `text`; undefined when there are none. */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  const byDistance = names.map((name) => ({ name, distance: editDistance(text, name) }));
  return byDistance.sort((a, b) => a.distance - b.distance)[0]?.name;
}

/** Levenshtein distance: insertions, deletions and substitutions of single characters. */
export function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...to].entries()) {
      const substituted = at(previous, column) + (letter === other ? 0 : 1);
      const cheapest = Math.min(substituted, at(previous, column + 1) + 1, at(current, column) + 1);
      current.push(cheapest);
    }
    previous = current;
  }
  return at(previous, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
