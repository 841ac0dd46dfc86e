/** The bridges and ports that intent needs, as they are to be in OVSDB. */

export interface WantedPort {
  readonly name: string;
  readonly type: "internal" | "patch";
  readonly options: ReadonlyMap<string, string>;
  readonly externalIds: ReadonlyMap<string, string>;
  readonly vpcId: string | undefined;
  /** The one VLAN that the action NORMAL would let pass; undefined: all. */
  readonly trunk: number | undefined;
}

export interface WantedBridge {
  readonly name: string;
  readonly vpcId: string | undefined;
  readonly datapathType: string;
  readonly externalIds: ReadonlyMap<string, string>;
  readonly ports: readonly WantedPort[];
}
