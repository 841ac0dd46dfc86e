import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { sleep } from "../lib/process.mjs";
import { ask } from "./storm.mjs";

const ATTACKER = fileURLToPath(new URL("attacker-main.mjs", import.meta.url));

/** From the first request of an attack until it is in full course. */
const RISE_MS = 1000;
/** From its end until nothing of it is left. */
const CALM_MS = 1500;
/** Between two calls of the tenant that is looked at: it asks for little. */
const PAUSE_MS = 10;

/**
 * Milliseconds that calls of one tenant take, each after the other: at rest, and while another
 * tenant attacks, in turn.
 * @typedef {{ reads: number[], writes: number[] }} Times
 * @returns {Promise<{ idle: Times, attacked: Times, answers: object, refused: number }>}
 */
export async function underAttack(scenario, neighbours, { rounds, seconds, signal }) {
  const found = { idle: noTimes(), attacked: noTimes(), answers: {}, refused: 0 };
  for (let round = 0; round < rounds; round += 1) {
    found.refused += await watch(neighbours, found.idle, seconds, signal);
    const attack = await begin(scenario, neighbours);
    try {
      await sleep(RISE_MS);
      found.refused += await watch(neighbours, found.attacked, seconds, signal);
    } finally {
      add(found.answers, await attack.end());
    }
    await sleep(CALM_MS);
  }
  return found;
}

const noTimes = () => ({ reads: [], writes: [] });

/** @returns {Promise<number>} how many calls were not answered as they should be */
async function watch({ url, victim }, times, seconds, signal) {
  const path = `/v1/vpcs/${victim.vpcId}`;
  const statuses = [];
  const count = (status) => statuses.push(status);
  const call = (method, body) => ask({ url, count }, { token: victim.token, method, path, body });
  const until = performance.now() + seconds * 1000;
  for (let at = 0; performance.now() < until; at += 1) {
    signal.throwIfAborted();
    times.reads.push(await timed(() => call("GET")));
    await sleep(PAUSE_MS);
    times.writes.push(await timed(() => call("PATCH", { name: `name ${at}` })));
    await sleep(PAUSE_MS);
  }
  return statuses.filter((status) => status !== 200).length;
}

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** In a process of its own, so that it does not disturb who looks at the clock. */
async function begin(scenario, { url, attacker }) {
  const child = fork(ATTACKER);
  child.send({ scenario, url, ...attacker });
  return {
    async end() {
      const answered = once(child, "message");
      const ended = once(child, "exit");
      child.send("stop");
      const [answers] = await Promise.race([answered, ended.then(() => [{}])]);
      await ended;
      return answers;
    },
  };
}

function add(sums, counts) {
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
}
