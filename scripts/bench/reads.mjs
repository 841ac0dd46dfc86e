import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { requestsPerSecond } from "./http-load.mjs";
import { measureRates } from "./rates.mjs";

const READS_A_RUN = 2000;
const READS_IF_QUICK = 200;
const BARE_FASTIFY = fileURLToPath(new URL("bare-fastify-main.mjs", import.meta.url));

/** How often one VPC can be read in a second, beside answers that are made of nothing. */
export function measureReads(context) {
  const { undo, quick } = context;
  const amount = quick ? READS_IF_QUICK : READS_A_RUN;
  return measureRates(context, {
    does: "VPCs read",
    run: `${amount} reads`,
    beside: "bare Fastify",
    sidesOn: (daemon) => makeSides(daemon, amount, undo),
  });
}

async function makeSides({ url, token, call }, amount, undo) {
  const { id } = await call("POST", "/vpcs", { cidrBlock: "10.0.0.0/16" });
  const bareUrl = await startBareFastify(await call("GET", `/vpcs/${id}`), undo);
  const read = (base) =>
    requestsPerSecond({
      url: `${base}/v1/vpcs/${id}`,
      headers: { authorization: `Bearer ${token}` },
      amount,
      status: 200,
    });
  return { daemon: () => read(url), bare: () => read(bareUrl) };
}

async function startBareFastify(payload, undo) {
  const child = fork(BARE_FASTIFY, [JSON.stringify(payload)]);
  undo.add(() => child.kill());
  const [port] = await once(child, "message");
  return `http://127.0.0.1:${port}`;
}
