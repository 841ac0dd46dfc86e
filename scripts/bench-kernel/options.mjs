import { parseArgs } from "node:util";
import { oneOf, whole } from "../lib/bench-words.mjs";

export const PARTS = ["throughput", "restart", "waiting", "ovn"];

export const USAGE = `npm run bench:kernel -- [OPTION...]       (root; build first)
  --sizes LIST     numbers of VPCs that throughput is measured among (2,10,100,300)
  --rounds N       rounds of throughput (9)
  --seconds N      of each measurement in a round (2)
  --restarts N     of ovs-vswitchd at each size (5)
  --only LIST      some parts of ${PARTS.join(", ")}
  --quick          2 and 6 VPCs, 1 round of 1 s, 1 restart: whether it works, not how fast
  --here           on this machine's own kernel instead of in a guest
  --datapath KIND  with --here: netdev, to try the program where the kernel has no datapath
  --json           JSON on standard output; the tables go to standard error
  --output FILE    JSON into a file`;

const FULL = { sizes: "2,10,100,300", rounds: "9", seconds: "2", restarts: "5" };
const QUICK = { sizes: "2,6", rounds: "1", seconds: "1", restarts: "1" };

const OPTIONS = {
  sizes: { type: "string" },
  rounds: { type: "string" },
  seconds: { type: "string" },
  restarts: { type: "string" },
  only: { type: "string" },
  quick: { type: "boolean" },
  here: { type: "boolean" },
  datapath: { type: "string" },
  json: { type: "boolean" },
  output: { type: "string" },
  help: { type: "boolean", short: "h" },
};

/**
 * @param {string[]} args
 * @returns what to measure; throws a sentence for people when the arguments make no sense
 */
export function readOptions(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const set = { ...(values.quick ? QUICK : FULL), ...values };
  const datapath = oneOf("--datapath", values.datapath ?? "system", ["system", "netdev"]);
  if (datapath === "netdev" && !values.here) throw new Error("--datapath netdev: only with --here");
  const sizes = set.sizes.split(",").map((size) => whole("--sizes", size, 2));
  return {
    sizes: sizes.sort((a, b) => a - b),
    rounds: whole("--rounds", set.rounds, 1),
    seconds: whole("--seconds", set.seconds, 1),
    restarts: whole("--restarts", set.restarts, 1),
    parts: (values.only?.split(",") ?? PARTS).map((part) => oneOf("--only", part, PARTS)),
    // The userspace datapath takes packets as they are: without checksums they are lost.
    offloads: datapath === "netdev" ? ["off"] : ["on", "off"],
    datapath,
    quick: values.quick === true,
    here: values.here === true,
    json: values.json === true,
    output: values.output,
    help: values.help === true,
  };
}
