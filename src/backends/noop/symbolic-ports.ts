import type { IntentSlice, PeeringIntent, VpcIntent } from "../../domain/intent.js";
import type { InterfacePort, VpcPorts } from "../../pipeline/render.js";
import { type PortView, sidesOf } from "../flows/desired.js";

const UPLINK = 1;
const FIRST_INTERFACE = 2;
const FIRST_ZONE = 1;

/**
 * Stands in for a switch's port numbers: a VPC's number is its port on the exchange, and the
 * ports and zones of a VPC's interfaces count up in order of their numbers. All are plugged in.
 */
export class SymbolicPorts implements PortView {
  readonly #vpcNumbers = new Map<string, number>();

  ofVpc(vpc: VpcIntent): VpcPorts {
    const ordered = [...vpc.interfaces].sort((a, b) => a.number - b.number);
    const interfaces = new Map(
      ordered.map(({ id }, index): [string, InterfacePort] => {
        const caller = FIRST_ZONE + 2 * index;
        return [id, { port: FIRST_INTERFACE + index, zones: { caller, called: caller + 1 } }];
      }),
    );
    const members = vpc.peerGroups.flatMap((group) => group.members);
    return { uplink: UPLINK, interfaces, peerInterfaces: new Set(members.map(({ id }) => id)) };
  }

  onExchange(vpcId: string): number | undefined {
    return this.#vpcNumbers.get(vpcId);
  }

  /** Learns the VPCs that intent tells of. */
  learn({ vpcs, peerings }: Pick<IntentSlice, "vpcs" | "peerings">): void {
    for (const { id, number } of vpcs.values()) this.#vpcNumbers.set(id, number);
    peerings.forEach((peering) => {
      this.learnPeering(peering);
    });
  }

  learnPeering(peering: PeeringIntent): void {
    for (const { vpcId, vpcNumber } of sidesOf(peering)) this.#vpcNumbers.set(vpcId, vpcNumber);
  }

  numberOf(vpcId: string): number | undefined {
    return this.#vpcNumbers.get(vpcId);
  }

  known(): Iterable<string> {
    return this.#vpcNumbers.keys();
  }

  forget(vpcId: string): void {
    this.#vpcNumbers.delete(vpcId);
  }
}
