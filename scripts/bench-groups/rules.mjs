/** Rules about 198.18.0.0/15 (RFC 2544): nothing that is measured comes from there or goes there. */
const PORT_SPANS = [1, 1, 1, 100, 13];
const PREFIX_LENGTHS = [32, 32, 24, 28, 32];
const PROTOCOLS = ["tcp", "tcp", "udp", "tcp", "udp"];

/** @returns one of many rules that differ, in the kinds and widths that people mix */
export function strangersRule(index, direction) {
  const kind = index % PORT_SPANS.length;
  const fromPort = 10_000 + index * 3;
  return {
    direction,
    protocol: PROTOCOLS[kind],
    fromPort,
    toPort: fromPort + PORT_SPANS[kind] - 1,
    cidrBlock: `${networkAddress(index)}/${PREFIX_LENGTHS[kind]}`,
  };
}

/** Multiples of 256, so that they begin a block of any of these lengths. */
function networkAddress(index) {
  return `198.${18 + (index >> 8)}.${index & 255}.0`;
}

/**
 * So many rules of one direction, the ones that let the measured traffic pass last. Without a rule
 * nothing passes at all: none means a single one for all traffic.
 */
export function rulesWithMatchLast(count, direction, cidrBlock, port) {
  if (count === 0) return [{ direction, protocol: "all", cidrBlock }];
  const matching = ["udp", "tcp"].map((protocol) => {
    return { direction, protocol, fromPort: port, toPort: port, cidrBlock };
  });
  const strangers = Math.max(0, count - matching.length);
  return [
    ...Array.from({ length: strangers }, (_, index) => strangersRule(index, direction)),
    ...matching,
  ];
}

const EVERY_HOW_MANY = 5;

/** Both directions in turn; of each five rules one names the group itself. */
export function mixedRules(count, groupId) {
  return Array.from({ length: count }, (_, index) => {
    const direction = index % 2 === 0 ? "ingress" : "egress";
    const rule = strangersRule(index, direction);
    if (index % EVERY_HOW_MANY !== 0) return rule;
    const { cidrBlock: _block, ...traffic } = rule;
    return { ...traffic, securityGroupId: groupId };
  });
}
