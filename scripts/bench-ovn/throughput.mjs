import { spawn } from "node:child_process";
import { summary } from "../lib/bench-figures.mjs";
import { run } from "../lib/process.mjs";
import { until } from "../lib/until.mjs";

const ROUNDS = 3;
const PAIR = [0, 1];
const PORT = "5201";

/** One TCP stream across a peering, the sides taking turns. @returns Gbit/s by side */
export async function measureThroughput(bench, sides, seconds) {
  const peerings = new Map();
  for (const side of sides) peerings.set(side, await side.peer(PAIR));
  const rates = Object.fromEntries(sides.map(({ key }) => [key, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      rates[side.key].push(await oneStream(bench, side, seconds));
    }
  }
  for (const side of sides) await side.unpeer(peerings.get(side));
  return Object.fromEntries(sides.map(({ key }) => [key, summary(rates[key])]));
}

async function oneStream(bench, side, seconds) {
  const [from, to] = PAIR.map((index) => side.workloads[index]);
  const server = await startServer(bench, to);
  try {
    const inside = ["netns", "exec", from.netns, "iperf3", "--client", to.address];
    const args = [...inside, "--port", PORT, "--time", `${seconds}`, "--omit", "1", "--json"];
    const { stdout } = await run("ip", args, { limitMs: (seconds + 30) * 1000 });
    return JSON.parse(stdout).end.sum_received.bits_per_second / 1e9;
  } finally {
    server.kill();
  }
}

/** It ends after one client, or with us. */
async function startServer(bench, { netns, address }) {
  const listen = ["iperf3", "--server", "--one-off", "--bind", address, "--port", PORT];
  let server;
  bench.undo.add(() => server?.kill());
  server = spawn("ip", ["netns", "exec", netns, ...listen], {
    detached: true,
    stdio: "ignore",
  });
  const sockets = ["netns", "exec", netns, "ss", "-Hltn", `sport = :${PORT}`];
  const listening = async () => (await run("ip", sockets)).stdout.trim() !== "";
  await until("iperf3 listens", listening, { limitMs: 10_000, everyMs: 20 });
  return server;
}
