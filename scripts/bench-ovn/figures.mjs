/** A map as an object with round numbers, for the report. */
export function asObject(map) {
  return Object.fromEntries(Array.from(map, ([name, value]) => [name, Number(value.toFixed(2))]));
}
