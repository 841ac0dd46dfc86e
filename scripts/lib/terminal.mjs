const onTerminal = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;

const paint = (code) => (text) => (onTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint("1");
export const dim = paint("2");
export const red = paint("31");
export const green = paint("32");
export const yellow = paint("33");

export const out = (text = "") => process.stdout.write(`${text}\n`);

/** A line about what is going on, apart from a program's results. */
export const note = (text) => process.stderr.write(`patchbay: ${text}\n`);

/** Something that must not be missed. */
export function warn(lines) {
  const rule = "!".repeat(78);
  process.stderr.write(`${[rule, ...lines.map((line) => `!! ${line}`), rule].join("\n")}\n`);
}
