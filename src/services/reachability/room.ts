import type { DataPlaneView } from "../../domain/data-plane.js";
import { DomainError } from "../../domain/errors.js";
import type { Facts } from "../../domain/reachability/question.js";
import type { Verdict } from "../../domain/reachability/verdict.js";

/** Before the switch is asked. */
export const roomForAll: Facts["isFull"] = () => false;

/** Which of these interfaces have as many connections as they may, in which direction. */
export async function fullInterfaces(
  view: DataPlaneView,
  networkInterfaceIds: readonly string[],
): Promise<Facts["isFull"]> {
  const found = await Promise.all(
    networkInterfaceIds.map(async (id) => [id, await connectionsOf(view, id)] as const),
  );
  const byId = new Map(found);
  return (id, role) => {
    const { count = 0, limit = Number.POSITIVE_INFINITY } = byId.get(id)?.[role] ?? {};
    return count >= limit;
  };
}

/** The ends whose room a connection needs that is otherwise judged like this. */
export function endsOf(senderId: string, { answering }: Verdict): string[] {
  const answers = typeof answering === "object" ? [answering.networkInterfaceId] : [];
  return [senderId, ...answers];
}

/** Who cannot read them cannot confirm anything either: that is told by the trace. */
async function connectionsOf(view: DataPlaneView, id: string) {
  try {
    return await view.connections(id);
  } catch (error) {
    if (error instanceof DomainError) return null;
    throw error;
  }
}
