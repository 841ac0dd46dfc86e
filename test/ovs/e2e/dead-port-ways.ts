import { execa } from "execa";
import { chosenDatapath, TRAITS } from "../../support/datapath.js";
import { ownChecksums } from "../../support/netns.js";
import type { Workload } from "./workload.js";
import type { World } from "./world.js";

/** One way in which a port stops carrying packets, and how whoever did it undoes it. */
export interface Way {
  readonly name: string;
  /** What the interface's owner is told of it. */
  readonly reason: RegExp;
  /** The interface that it happens to, before anything is done. */
  kill(place: Place): Promise<void>;
  heal(place: Place): Promise<void>;
}

export interface Place {
  readonly world: World;
  readonly bridge: string;
  readonly workload: Workload;
}

/** `ip(8)` in the root namespace: `ip("link set", PORT, "down")`. */
export async function ip(...words: readonly string[]): Promise<void> {
  await execa(
    "ip",
    words.flatMap((word) => word.split(" ")),
  );
}

interface Plugged {
  readonly world: World;
  readonly workload: Pick<Workload, "eni" | "host">;
}

/** Makes the link of a workload as it was when it was plugged in. */
export async function makeLink({ world, workload }: Plugged): Promise<void> {
  const { eni, host } = workload;
  const { netns, port } = host;
  const peer = `peer name eth0 address ${eni.macAddress} netns ${netns}`;
  await ip("link add", port, "type veth", peer);
  await ip("link set", port, "up");
  await setUpFarEnd({ world, workload });
}

/** Addresses and routes go with a link that is deleted or set down. */
export async function setUpFarEnd({ world, workload: { eni, host } }: Plugged): Promise<void> {
  await ownChecksums(world.sandbox, host);
  await ip("-n", host.netns, "addr replace", `${eni.privateIp}/24`, "dev eth0");
  await ip("-n", host.netns, "link set eth0 up");
  await ip("-n", host.netns, "route replace default via", eni.gateway);
}

const portOf = ({ workload }: Place) => workload.host.port;
const vsctl = ({ world }: Place, ...args: string[]) => world.sandbox.vsctl(...args);

async function modPort(place: Place, setting: string): Promise<void> {
  const { world, bridge } = place;
  const number = await vsctl(place, "get", "Interface", portOf(place), "ofport");
  await world.sandbox.ofctl("mod-port", bridge, number.trim(), setting);
}

function byOpenFlow(setting: string, undo: string, reason: RegExp): Way {
  return {
    name: `ovs-ofctl mod-port ${setting}`,
    reason,
    kill: (place) => modPort(place, setting),
    heal: (place) => modPort(place, undo),
  };
}

/**
 * What is said of a port whose device is deleted, or is not seen from here any more. Where the port
 * goes with it, that depends on whether the switch has tried to open it again.
 */
export const GONE = TRAITS[chosenDatapath()].keepsPortsOfGoneDevices
  ? /device is gone/
  : /device is gone|the switch says "could not open network device .* \(No such device\)"/;

/** To where a device is taken away; made by the test. */
export const ELSEWHERE = "pbt-elsewhere";

export const WAYS: readonly Way[] = [
  {
    name: "its device is set down",
    reason: /set down/,
    kill: (place) => ip("link set", portOf(place), "down"),
    heal: (place) => ip("link set", portOf(place), "up"),
  },
  {
    name: "the far end is set down",
    reason: /other end/,
    kill: ({ workload }) => ip("-n", workload.host.netns, "link set eth0 down"),
    heal: (place) => setUpFarEnd(place),
  },
  {
    name: "the far end is taken to another namespace",
    reason: /other end/,
    kill: ({ workload }) => ip("-n", workload.host.netns, "link set eth0 netns", ELSEWHERE),
    heal: async (place) => {
      await ip("-n", ELSEWHERE, "link set eth0 netns", place.workload.host.netns);
      await setUpFarEnd(place);
    },
  },
  {
    name: "its device is a tap that nobody has opened",
    reason: /other end/,
    kill: async (place) => {
      await ip("link del", portOf(place));
      await ip("tuntap add", portOf(place), "mode tap");
      await ip("link set", portOf(place), "up");
    },
    heal: async (place) => {
      await ip("link del", portOf(place));
      await makeLink(place);
    },
  },
  {
    name: "its device is deleted",
    reason: GONE,
    kill: (place) => ip("link del", portOf(place)),
    heal: (place) => makeLink(place),
  },
  {
    name: "its device is taken to another namespace",
    reason: GONE,
    kill: (place) => ip("link set", portOf(place), "netns", ELSEWHERE),
    heal: async (place) => {
      await ip("-n", ELSEWHERE, "link set", portOf(place), "netns 1");
      await ip("link set", portOf(place), "up");
      await setUpFarEnd(place);
    },
  },
  byOpenFlow("down", "up", /set down/),
  byOpenFlow("no-receive", "receive", /no-receive/),
  byOpenFlow("no-forward", "forward", /no-forward/),
  {
    name: "it is made a port of another type",
    reason: /the switch says "could not (open|add)/,
    kill: async (place) => {
      await vsctl(place, "--no-wait", "set", "Interface", portOf(place), "type=internal");
    },
    heal: async (place) => {
      await vsctl(place, "set", "Interface", portOf(place), 'type=""');
    },
  },
];
