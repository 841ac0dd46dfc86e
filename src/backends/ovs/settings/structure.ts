import type { SettingDrift } from "../../../domain/data-plane.js";
import type { BridgePort, BridgeView } from "../topology.js";
import type { WantedBridge, WantedPort } from "../wanted.js";
import { UNSET } from "./compare.js";

type Ids = ReadonlyMap<string, string>;

const ABSENT = "absent";
const PRESENT = "present";

/** What is wrong with what a bridge is, and not with how it is set: all of it is put right. */
export function bridgeDrift(wanted: WantedBridge, view: BridgeView | undefined): SettingDrift[] {
  const object = `bridge ${wanted.name}`;
  if (view === undefined) return [missing(object)];
  const { failMode, datapathType, externalIds } = view.row;
  const facts: Fact[] = [
    ["fail_mode", failMode, "secure"],
    ["datapath_type", datapathType === "" ? "system" : datapathType, wanted.datapathType],
    ...entries("external_ids", externalIds, wanted.externalIds),
  ];
  return differing(object, facts);
}

/** As for bridges. */
export function portDrift(wanted: WantedPort, port: BridgePort | undefined): SettingDrift[] {
  const object = `port ${wanted.name}`;
  if (port === undefined) return [missing(object)];
  const [only] = port.interfaces;
  const names = port.interfaces.map(({ name }) => name).join(",");
  const ofPort: Fact[] = [
    ["interfaces", names === "" ? undefined : names, wanted.name],
    ...entries("external_ids", port.row.externalIds, wanted.externalIds),
  ];
  const ofInterface: Fact[] = [
    ["type", only?.type || undefined, wanted.type],
    ...entries("options", only?.options, wanted.options),
    ...entries("external_ids", only?.externalIds, wanted.externalIds),
  ];
  return [...differing(object, ofPort), ...differing(`interface ${wanted.name}`, ofInterface)];
}

/** Of a VPC that does not exist. */
export function leftOver(object: string): SettingDrift {
  return { object, setting: "existence", found: PRESENT, wanted: ABSENT };
}

function missing(object: string): SettingDrift {
  return { object, setting: "existence", found: ABSENT, wanted: PRESENT };
}

export function isMissing({ setting, found }: SettingDrift): boolean {
  return setting === "existence" && found === ABSENT;
}

type Fact = readonly [setting: string, found: string | undefined, wanted: string];

function entries(column: string, found: Ids | undefined, wanted: Ids): Fact[] {
  return [...wanted].map(([key, value]) => [`${column}:${key}`, found?.get(key), value]);
}

function differing(object: string, facts: readonly Fact[]): SettingDrift[] {
  return facts.flatMap(([setting, found, wanted]) =>
    found === wanted ? [] : [{ object, setting, found: found ?? UNSET, wanted }],
  );
}
