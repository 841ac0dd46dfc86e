import { sleep } from "./process.mjs";

/**
 * Polls until `condition` holds; fails at once when a service that it depends on has ended.
 * @param {string} what the condition, for the error
 * @param {() => unknown} condition
 * @param {{ services?: { check(): void }[], limitMs?: number, everyMs?: number }} options
 */
export async function until(
  what,
  condition,
  { services = [], limitMs = 120_000, everyMs = 50 } = {},
) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    for (const service of services) service.check();
    if (await condition()) return;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs / 1000} s in vain until ${what}`);
    await sleep(everyMs);
  }
}
