import pLimit from "p-limit";
import { timed } from "../lib/bench-figures.mjs";
import { openBarePrisma } from "./bare-prisma.mjs";
import { ENGINES, freshDatabase } from "./engines.mjs";
import { CLIENTS, requestsPerSecond } from "./http-load.mjs";
import { measureRates } from "./rates.mjs";

const CREATES_A_RUN = 100;
const CREATES_IF_QUICK = 20;

/** VPCs that are created in a second, beside the same inserts without anything around them. */
export function measureCreates(context) {
  const { undo, quick } = context;
  const amount = quick ? CREATES_IF_QUICK : CREATES_A_RUN;
  return measureRates(context, {
    does: "VPCs created",
    run: `${amount} creates`,
    beside: "bare Prisma",
    sidesOn: async (daemon, engine) => {
      const insert = await openBarePrisma(await freshDatabase(ENGINES[engine], undo), undo);
      return { daemon: () => throughApi(daemon, amount), bare: () => directly(insert, amount) };
    },
  });
}

function throughApi({ url, token }, amount) {
  return requestsPerSecond({
    url: `${url}/v1/vpcs`,
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ cidrBlock: "10.0.0.0/16" }),
    amount,
    status: 201,
  });
}

/** As many at once as there are clients of the daemon. */
async function directly(insert, amount) {
  const limited = pLimit(CLIENTS);
  const all = () => Promise.all(Array.from({ length: amount }, () => limited(insert)));
  return (1000 * amount) / (await timed(all)).ms;
}
