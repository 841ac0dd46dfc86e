import type { Principal } from "../../domain/principal.js";

/**
 * Aborted once the credential is refused, also when nothing happens or the client does not read.
 * While it cannot be told, nothing is concluded.
 */
export function credentialEnd(
  recheck: () => Promise<Principal | undefined>,
  everyMs: number,
  signal: AbortSignal,
): AbortSignal {
  const ended = new AbortController();
  if (signal.aborted) return ended.signal;
  let timer = setTimeout(look, everyMs);
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  async function look(): Promise<void> {
    const isRefused = await recheck().then(
      (caller) => caller === undefined,
      () => false,
    );
    if (isRefused) ended.abort();
    else if (!signal.aborted) timer = setTimeout(look, everyMs);
  }
  return ended.signal;
}
