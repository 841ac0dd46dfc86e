import type { ServiceContext } from "./context.js";

/** @throws when the database does not answer */
export async function checkDatabase(ctx: ServiceContext): Promise<void> {
  await ctx.db.$queryRaw`SELECT 1`;
}
