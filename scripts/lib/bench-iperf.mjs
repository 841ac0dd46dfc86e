import { run } from "./process.mjs";

/** iperf3's own, on which its servers listen. */
export const PORT = 5201;

/** Bytes in a datagram. */
export const SMALL = 64;

/**
 * What arrived.
 * @typedef {{ amount: number, perSecond: number }} Arrived
 */

/**
 * @returns {Promise<Arrived & { cpuSeconds: number }>} bits, over one TCP connection; `cpuSeconds`:
 *   what both ends computed, of which the way between them is a part where the kernel carries packets
 */
export async function tcpThroughput(from, to, seconds, signal) {
  const { end } = await iperf(from, to, seconds, [], signal);
  const { bytes, bits_per_second: perSecond, seconds: took } = end.sum_received;
  const { host_total: near, remote_total: far } = end.cpu_utilization_percent;
  return { amount: 8 * bytes, perSecond, cpuSeconds: (took * (near + far)) / 100 };
}

/** @returns {Promise<Arrived>} small datagrams, sent as fast as it goes */
export async function packetRate(from, to, seconds, signal) {
  const flood = ["-u", "-l", String(SMALL), "-b", "0"];
  const { end } = await iperf(from, to, seconds, flood, signal);
  const { packets, lost_packets: lost, seconds: took } = end.sum;
  return { amount: packets - lost, perSecond: (packets - lost) / took };
}

async function iperf(from, to, seconds, options, signal) {
  const client = ["iperf3", "-J", "-c", to.address, "-t", String(seconds), ...options];
  const limitMs = seconds * 1000 + 30_000;
  const { stdout } = await run("ip", ["netns", "exec", from.netns, ...client], { limitMs, signal });
  const answer = JSON.parse(stdout);
  if (answer.error !== undefined) throw new Error(`iperf3 to ${to.address}: ${answer.error}`);
  return answer;
}
