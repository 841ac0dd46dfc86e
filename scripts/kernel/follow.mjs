import { readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";

const EVERY_MS = 100;
const AT_ONCE = 64 * 1024;

/**
 * Tells every line of a file that grows.
 * @param {number} file a descriptor
 * @param {(line: string) => void} onLine
 * @returns {{ end(): void }} `end` tells what is still unread
 */
export function follow(file, onLine) {
  const buffer = Buffer.alloc(AT_ONCE);
  const decoder = new StringDecoder("utf8");
  let position = 0;
  let rest = "";
  const read = () => {
    for (;;) {
      const length = readSync(file, buffer, 0, AT_ONCE, position);
      if (length === 0) return;
      position += length;
      const lines = (rest + decoder.write(buffer.subarray(0, length))).split("\n");
      rest = lines.pop();
      for (const line of lines) onLine(line.trimEnd());
    }
  };
  const timer = setInterval(read, EVERY_MS);
  return {
    end() {
      clearInterval(timer);
      read();
      if (rest !== "") onLine(rest);
    },
  };
}
