import type { Random } from "../../faults/random.js";
import { BROADCAST_MAC } from "../e2e/frames.js";

/** Who throws, and all that it may have learned of the others by some means. */
export interface Surroundings {
  readonly mac: string;
  readonly ip: string;
  readonly gateway: string;
  readonly router: string;
  /** Addresses of all others, also of those with whom it may talk. */
  readonly targets: readonly string[];
  readonly gateways: readonly string[];
  readonly macs: readonly string[];
  readonly foreignRouters: readonly string[];
  readonly exchangeMac: string;
  /** Of the host's end of its own link, and of all others' links. */
  readonly hostMacs: readonly string[];
  readonly hostAddresses: readonly string[];
}

const SPECIAL_MACS = [
  BROADCAST_MAC,
  "00:00:00:00:00:00",
  "01:00:5e:00:00:01",
  "33:33:00:00:00:01",
  "01:80:c2:00:00:00",
  "01:80:c2:00:00:0e",
  "02:de:ad:be:ef:01",
] as const;

const SPECIAL_ADDRESSES = [
  "0.0.0.0",
  "127.0.0.1",
  "169.254.169.254",
  "198.51.100.7",
  "224.0.0.1",
  "239.1.2.3",
  "255.255.255.255",
] as const;

/** Somebody else's, or nobody's. */
export function forgedMac(random: Random, scene: Surroundings): string {
  const { macs, foreignRouters, exchangeMac, hostMacs, router } = scene;
  const groups = [macs, [...foreignRouters, exchangeMac, router], hostMacs, SPECIAL_MACS];
  return random.pick(random.pick(groups));
}

/** Somebody else's, a neighbour's, the host's, or one that means something to everybody. */
export function forgedAddress(random: Random, scene: Surroundings): string {
  const { targets, gateways, gateway, hostAddresses } = scene;
  const last = random.pick([0, 1, 2, 77, 254, 255]);
  const neighbours = [...targets, scene.ip].map((ip) => ip.replace(/\d+$/, String(last)));
  const groups = [targets, [...gateways, gateway], hostAddresses, neighbours, SPECIAL_ADDRESSES];
  return random.pick(random.pick(groups.filter(({ length }) => length > 0)));
}
