import { it } from "vitest";
import { startWorld } from "./world.js";
import { peer } from "../../support/rest.js";
it("profile", async () => {
  const t0 = Date.now(); const lap = (s: string) => process.stderr.write(`LAP ${s} ${Date.now() - t0}\n`);
  const world = await startWorld(); lap("world");
  process.stderr.write(world.daemon.log().slice(0, 3000));
  try {
  const t = await world.operator.createTenant("x"); lap("tenant");
  const v = await t.vpc("10.1.0.0/16"); lap("vpc");
  const s = await t.subnet(v.id, "10.1.1.0/24"); lap("subnet");
  const e = await t.networkInterface(s.id); lap("eni");
  const w = await world.plug("w", { vpc: v, subnets: [s] }, e); lap("plug");
  await t.untilBound(e.id); lap("bound");
  await w.routerMac(); lap("router");
  const site = await world.site("q", "10.2.0.0/16", {"10.2.1.0/24": 1}); lap("site");
  await peer(site, {tenant: t, vpcId: v.id}, {accept: true}); lap("peer");
  } finally { await world.hosts.destroyAll(); lap("hosts"); await world.daemon.dispose(); lap("daemon"); await world.dispose(); lap("disposed"); }
});
