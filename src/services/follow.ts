import type { ServiceContext } from "./context.js";

/**
 * Has the switch follow a change that is committed, and in a call that waits for that, waits.
 * @param vpcIds all that the change has touched
 * @param removedAt of a change that has removed them: its generation
 */
export async function follow(
  ctx: ServiceContext,
  vpcIds: readonly string[],
  removedAt?: number,
): Promise<void> {
  ctx.waker.wake(vpcIds);
  await ctx.following?.until(vpcIds, removedAt);
}
