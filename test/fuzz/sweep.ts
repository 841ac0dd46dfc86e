import type { Operation } from "./document.js";
import type { Transport } from "./transport.js";
import type { World } from "./world.js";

/** What is in use goes in a later round. */
const ROUNDS = 4;

/** Deletes all that the tenants have and may delete, so that what is left over can be compared. */
export async function sweep(
  world: World,
  transport: Transport,
  operations: readonly Operation[],
): Promise<void> {
  const deletable = new Set(
    operations.filter(({ method }) => method === "DELETE").map(({ path }) => path),
  );
  const lists = operations
    .filter(({ method, path }) => method === "GET" && deletable.has(`${path}/{id}`))
    .map(({ path }) => path);
  const tenants = world.callers().filter(({ tenant }) => tenant === "A" || tenant === "B");
  const tokens = new Set(tenants.map(({ token }) => token));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const token of tokens) {
      const headers = { authorization: `Bearer ${token}` };
      for (const path of lists) {
        for (const id of await idsOf(transport, path, headers)) {
          await transport({ method: "DELETE", url: `${path}/${id}`, headers });
        }
      }
    }
  }
}

/** None where the caller may not look. */
async function idsOf(transport: Transport, path: string, headers: Record<string, string>) {
  const { status, text } = await transport({ method: "GET", url: `${path}?limit=1000`, headers });
  if (status !== 200) return [];
  return (JSON.parse(text).items as { id: string }[]).map(({ id }) => id);
}
