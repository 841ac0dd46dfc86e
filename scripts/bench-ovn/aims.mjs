/**
 * What Patchbay aims at, as shares of OVN's figures. Only what was measured at the size that an
 * aim speaks of is judged.
 * @returns {{ aim: string, wanted: string, found: string, verdict: "met" | "missed" }[]}
 */
export function judge({ sizes, mesh }) {
  return [
    ...sizes.flatMap(onePeering),
    ...(mesh?.vpcs === MESH ? ofMesh(mesh) : []),
    ...sizes.filter(({ throughputGbps }) => throughputGbps).map(throughput),
  ];
}

const MESH = 100;
/** At most this share of OVN's time for one peering, by number of VPCs. */
const PEERING_SHARES = new Map([
  [100, 0.5],
  [300, 0.25],
]);

function onePeering({ vpcs, patchbay, ovn }) {
  const share = PEERING_SHARES.get(vpcs);
  if (share === undefined) return [];
  return [
    atMost(`one peering at ${vpcs} VPCs, request to installed`, share, [
      patchbay.installedMs.median,
      ovn.installedMs.median,
    ]),
  ];
}

function ofMesh({ patchbay, ovn }) {
  return [
    atMost(`mesh of ${MESH}, time`, 0.1, [patchbay.seconds, ovn.seconds]),
    atMost(`mesh of ${MESH}, flows`, 0.15, [patchbay.flows, ovn.flows]),
    atMost(`mesh of ${MESH}, memory`, 0.15, [patchbay.pssMiB, ovn.pssMiB]),
  ];
}

function throughput({ vpcs, throughputGbps: { patchbay, ovn } }) {
  const ratio = patchbay.median / ovn.median;
  return {
    aim: `throughput at ${vpcs} VPCs`,
    wanted: "at least 100 % of OVN's",
    found: percent(ratio),
    verdict: ratio >= 1 ? "met" : "missed",
  };
}

function atMost(aim, share, [ours, theirs]) {
  const ratio = ours / theirs;
  return {
    aim,
    wanted: `at most ${percent(share, 0)} of OVN's`,
    found: percent(ratio),
    verdict: ratio <= share ? "met" : "missed",
  };
}

const percent = (ratio, digits = 1) => `${(ratio * 100).toFixed(digits)} %`;
