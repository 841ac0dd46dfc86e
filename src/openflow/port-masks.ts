const WIDTH = 16;
const HIGHEST = 2 ** WIDTH - 1;

/** Ports that agree with `value` in the bits of `mask`. */
export interface PortMask {
  readonly value: number;
  readonly mask: number;
}

/** The fewest aligned masks that match just the ports from `from` to `to`, both of 0 to 65535. */
export function portMasks(from: number, to: number): PortMask[] {
  const masks: PortMask[] = [];
  for (let value = from; value <= to; ) {
    let size = value === 0 ? HIGHEST + 1 : value & -value;
    while (value + size - 1 > to) size /= 2;
    masks.push({ value, mask: HIGHEST + 1 - size });
    value += size;
  }
  return masks;
}

/** A match of ports as the switch spells it; nothing for every port. */
export function portMatch(
  field: "tp_dst" | "ct_tp_dst",
  { value, mask }: PortMask,
): Record<string, string> {
  if (mask === 0) return {};
  if (mask === HIGHEST) return { [field]: String(value) };
  return { [field]: `0x${value.toString(16)}/0x${mask.toString(16)}` };
}
