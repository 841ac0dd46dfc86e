import { dim, green, note, red } from "./terminal.mjs";

const onTerminal = process.stderr.isTTY === true;
/** A terminal's line is kept up to date. A log gets a line often enough to show that it goes on. */
const TICK_MS = onTerminal ? 250 : 3000;
const WORTH_TELLING_MS = 1000;

/**
 * One step of something that takes a while, said when it begins, while it lasts and when it ends.
 * @template T
 * @param {string} title what is being done: "installing packages"
 * @param {(say: (detail: string) => void) => Promise<T>} work calls `say` with what it is at
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const begun = Date.now();
  let detail = "";
  const seconds = () => `${Math.round((Date.now() - begun) / 1000)} s`;
  const tick = () => {
    if (onTerminal) draw("…", title, `${seconds()}  ${detail}`);
    else note(`${title}: ${seconds()}${detail && `, ${detail}`}`);
  };
  if (onTerminal) tick();
  else note(title);
  const timer = setInterval(tick, TICK_MS);
  const end = (sign, word) => {
    clearInterval(timer);
    const worthTelling = Date.now() - begun >= WORTH_TELLING_MS || word === "failed";
    if (onTerminal) draw(sign, title, `${seconds()}\n`);
    else if (worthTelling) note(`${title}: ${word} after ${seconds()}`);
  };
  try {
    const result = await work((text) => {
      detail = text.trim();
    });
    end(green("✓"), "done");
    return result;
  } catch (error) {
    end(red("✗"), "failed");
    throw error;
  }
}

/** In place of the line that is there, cut at the terminal's edge. */
function draw(sign, title, rest) {
  const room = Math.max(0, (process.stderr.columns ?? 80) - title.length - 5);
  process.stderr.write(`\r\u001b[K${sign} ${title}  ${dim(rest.slice(0, room))}`);
}
