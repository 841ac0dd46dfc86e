import { expect } from "vitest";
import type { Answer } from "./api.js";
import { type Owned, Scene } from "./scene.js";

export interface SecurityGroupRule {
  readonly id: string;
  readonly direction: "ingress" | "egress";
  readonly stale: boolean;
}

/** A rule that lacks whom it is about. */
export const INGRESS = { direction: "ingress", protocol: "tcp", fromPort: 443, toPort: 443 };

/** What tests of security groups do again and again, by their owners' keys. */
export class GroupScene extends Scene {
  async newGroup({ key, vpcId }: Owned, name: string): Promise<string> {
    return (await this.must(201, key, "POST", "/security-groups", { vpcId, name })).id;
  }

  async groupsOf({ key, vpcId }: Owned): Promise<Answer["body"][]> {
    return (await this.must(200, key, "GET", `/security-groups?vpcId=${vpcId}`)).items;
  }

  async defaultGroup(of: Owned): Promise<string> {
    return (await this.groupsOf(of))[0].id;
  }

  show({ key }: Owned, id: string): Promise<Answer["body"]> {
    return this.must(200, key, "GET", `/security-groups/${id}`);
  }

  async rules(of: Owned, id: string): Promise<SecurityGroupRule[]> {
    return (await this.show(of, id)).rules;
  }

  addRule({ key }: Owned, id: string, rule: unknown): Promise<Answer> {
    return this.call(key, "POST", `/security-groups/${id}/rules`, rule);
  }

  addedRule({ key }: Owned, id: string, rule: unknown): Promise<Answer["body"]> {
    return this.must(201, key, "POST", `/security-groups/${id}/rules`, rule);
  }

  newInterface({ key }: Owned, subnetId: string, securityGroupIds?: unknown): Promise<Answer> {
    return this.call(key, "POST", "/network-interfaces", { subnetId, securityGroupIds });
  }

  /** An interface in these groups. */
  async member(of: Owned, subnetId: string, ...groups: string[]): Promise<string> {
    const answer = await this.newInterface(of, subnetId, groups);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.body.id;
  }

  /** At which generation the VPC changed last. */
  async generationOf({ key, vpcId }: Owned): Promise<number> {
    return (await this.must(200, key, "GET", `/vpcs/${vpcId}`)).dataPlane.generation;
  }
}
