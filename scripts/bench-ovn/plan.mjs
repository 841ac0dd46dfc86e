/**
 * The same addresses on both sides: a VPC is a /20 of 10.0.0.0/8 with one /24 in it, a router at
 * .1 and a workload at .4, the first that Patchbay gives out. No two overlap, so any two may peer.
 */
export function vpcPlan(index) {
  const base = `10.${index >> 4}.${(index & 15) << 4}`;
  return {
    index,
    block: `${base}.0/20`,
    subnet: `${base}.0/24`,
    gateway: `${base}.1`,
    address: `${base}.4`,
    routerMac: mac(0x10, index),
    mac: mac(0x20, index),
  };
}

/** Further workloads in a VPC; `number` from 0. */
export function neighbourPlan(index, number) {
  const plan = vpcPlan(index);
  const address = plan.address.replace(/4$/, `${5 + number}`);
  return { ...plan, index: `${index}n${number}`, address };
}

/** Addresses of the link between the routers of one peering, which only OVN needs. */
export function linkPlan(number) {
  const at = (host) => {
    const offset = number * 4 + host;
    return `100.${64 + (offset >> 16)}.${(offset >> 8) & 255}.${offset & 255}`;
  };
  return { near: at(1), far: at(2), nearMac: mac(0x30, number), farMac: mac(0x40, number) };
}

function mac(kind, number) {
  const bytes = [0x02, kind, 0, number >> 16, (number >> 8) & 255, number & 255];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Every pair of the first `count` VPCs once. */
export function meshPairs(count) {
  const pairs = [];
  for (let a = 0; a < count; a += 1) for (let b = a + 1; b < count; b += 1) pairs.push([a, b]);
  return pairs;
}
