/** Most VPCs that the address plan has room for. */
const MOST = 1000;

/** @returns {number} what an option says; throws a sentence for people when it is no such number */
export function whole(name, text, least) {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= MOST) return number;
  throw new Error(`${name}: '${text}' is no number from ${least} to ${MOST}`);
}

/** @returns {string} what an option says; throws a sentence for people when it is none of the words */
export function oneOf(name, text, words) {
  if (words.includes(text)) return text;
  throw new Error(`${name}: '${text}' is none of ${words.join(", ")}`);
}
