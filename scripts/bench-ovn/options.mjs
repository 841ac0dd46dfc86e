import { parseArgs } from "node:util";
import { oneOf, whole } from "../lib/bench-words.mjs";

export const USAGE = `usage: node scripts/bench-ovn.mjs [options]        (root, Debian or Ubuntu; build first)
  --sizes 10,100,300    numbers of VPCs at which a peering is timed, ascending
  --runs N              timed peerings a side and size (default 20)
  --mesh N              VPCs of the full mesh (default 100), --skip-mesh: none
  --mesh-batch N        peerings in one transaction of OVN's mesh (default: all in one)
  --acl auto|on|off     stateful ACLs on OVN's switches (default auto: when ours has security groups)
  --seconds N           of one throughput measurement (default 4), --skip-throughput: none
  --quick               --sizes 4,10 --runs 4 --mesh 8 --seconds 1, where not given otherwise
  --json                JSON on standard output; the table goes to standard error
  --output FILE         JSON into a file`;

const FULL = { sizes: "10,100,300", runs: "20", mesh: "100", seconds: "4" };
const QUICK = { sizes: "4,10", runs: "4", mesh: "8", seconds: "1" };

/**
 * @param {string[]} args
 * @returns what to measure; throws a sentence for people when the arguments make no sense
 */
export function readOptions(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const set = { ...(values.quick ? QUICK : FULL), ...values };
  return {
    help: values.help === true,
    sizes: set.sizes
      .split(",")
      .map((size) => whole("--sizes", size, 2))
      .sort((a, b) => a - b),
    runs: whole("--runs", set.runs, 1),
    mesh: values["skip-mesh"] ? 0 : whole("--mesh", set.mesh, 2),
    meshBatch: values["mesh-batch"] ? whole("--mesh-batch", values["mesh-batch"], 1) : undefined,
    acl: oneOf("--acl", values.acl ?? "auto", ["auto", "on", "off"]),
    seconds: values["skip-throughput"] ? 0 : whole("--seconds", set.seconds, 1),
    json: values.json === true,
    output: values.output,
  };
}

const OPTIONS = {
  sizes: { type: "string" },
  runs: { type: "string" },
  mesh: { type: "string" },
  "skip-mesh": { type: "boolean" },
  "mesh-batch": { type: "string" },
  acl: { type: "string" },
  seconds: { type: "string" },
  "skip-throughput": { type: "boolean" },
  quick: { type: "boolean" },
  json: { type: "boolean" },
  output: { type: "string" },
  help: { type: "boolean", short: "h" },
};
