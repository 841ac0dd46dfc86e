import { HIGHEST_PORT, ICMP, TCP, type Traffic, UDP } from "../domain/traffic.js";

/** The columns of a rule that say which traffic it admits; they are described with the model. */
export interface TrafficColumns {
  readonly protocol: number;
  readonly fromPort: number;
  readonly toPort: number;
}

const ANY = -1;

/** Equal traffic has equal columns, so that the database can tell rules that stand twice. */
export function trafficColumns(traffic: Traffic): TrafficColumns {
  switch (traffic.kind) {
    case "all":
      return { protocol: ANY, fromPort: ANY, toPort: ANY };
    case "protocol":
      return { protocol: traffic.protocol, fromPort: ANY, toPort: ANY };
    case "ports": {
      const { protocol, from, to } = traffic;
      if (from === 0 && to === HIGHEST_PORT) return { protocol, fromPort: ANY, toPort: ANY };
      return { protocol, fromPort: from, toPort: to };
    }
    case "icmp":
      return { protocol: ICMP, fromPort: traffic.type ?? ANY, toPort: traffic.code ?? ANY };
  }
}

export function storedTraffic({ protocol, fromPort: from, toPort: to }: TrafficColumns): Traffic {
  if (protocol === ANY) return { kind: "all" };
  if (protocol === TCP || protocol === UDP) {
    if (from === ANY) return { kind: "ports", protocol, from: 0, to: HIGHEST_PORT };
    return { kind: "ports", protocol, from, to };
  }
  if (protocol === ICMP) {
    return { kind: "icmp", type: from === ANY ? null : from, code: to === ANY ? null : to };
  }
  return { kind: "protocol", protocol };
}
