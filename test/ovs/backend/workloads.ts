import { eniId } from "../../support/intents.js";
import type { Host, HostPool } from "../../support/netns.js";
import { eventually, type Installation } from "./fixture.js";

/** A host of its own for an interface of `vpcIntent(n)`, once the backend has bound it. */
export async function plugInterface(
  hosts: HostPool,
  { backend, names }: Installation,
  n: number,
  index: number,
): Promise<Host> {
  const host = await hosts.create({
    bridge: names.vpcBridge(n),
    address: `10.${n}.1.${4 + index}/24`,
    mac: `02:00:00:00:0${n}:0${4 + index}`,
    gateway: `10.${n}.1.1`,
    ifaceId: eniId(n, index),
  });
  await eventually(() => backend.binding(eniId(n, index)).kind === "bound");
  return host;
}
