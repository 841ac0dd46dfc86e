import { isAlive } from "../lib/process.mjs";

const LOOK_EVERY_MS = 1000;

/**
 * `work`, unless one of the processes ends first: then its answer would never come.
 * @param {{ name: string, pid: number }[]} processes
 */
export async function whileAlive(processes, work) {
  let timer;
  const death = new Promise((_, fail) => {
    timer = setInterval(() => {
      const dead = processes.find(({ pid }) => !isAlive(pid));
      if (dead) fail(new Error(`${dead.name} has ended; its log says why`));
    }, LOOK_EVERY_MS);
  });
  try {
    return await Promise.race([work, death]);
  } finally {
    clearInterval(timer);
  }
}
