import { INSTALLATION, ROLE, serviceLock } from "./external-ids.js";
import { JsonRpc } from "./json-rpc.js";
import { bridgeMarks, portMarks } from "./ownership.js";
import { Replica } from "./replica.js";
import { parseStreamAddress } from "./stream-address.js";

const DATABASE = "Open_vSwitch";

/** What the switch shows of an installation that has bridges of VPCs there. */
export interface SurveyedInstallation {
  readonly installationId: string;
  /** As its bridges' names have it; undefined when none is named as ours are. */
  readonly mark: number | undefined;
  readonly bridges: readonly string[];
  /** A daemon works for it at this moment. */
  readonly isServed: boolean;
}

type Found = Omit<SurveyedInstallation, "isServed">;

const TABLES = {
  Bridge: ["name", "ports", "external_ids"],
  Port: ["name", "interfaces", "external_ids"],
  Interface: ["name", "external_ids"],
};

/**
 * Whose bridges a switch carries. Only reads.
 * @returns undefined when no database of Open vSwitch answers there
 */
export async function surveySwitch(
  address: string,
  limitMs: number,
): Promise<readonly SurveyedInstallation[] | undefined> {
  const parsed = parseStreamAddress(address);
  let rpc: JsonRpc | undefined;
  try {
    rpc = await JsonRpc.connect(parsed, limitMs);
    const requests = Object.entries(TABLES).map(([table, columns]) => [table, { columns }]);
    const params = [DATABASE, "patchbay-survey", Object.fromEntries(requests)];
    const replica = new Replica();
    replica.apply(await rpc.request("monitor", params, limitMs));
    return await withServed(rpc, installationsOn(replica), limitMs);
  } catch (error) {
    // Whatever the reason, there is nobody to talk to: that is the answer.
    if (error instanceof Error) return undefined;
    throw error;
  } finally {
    rpc?.close();
  }
}

async function withServed(
  rpc: JsonRpc,
  found: readonly Found[],
  limitMs: number,
): Promise<SurveyedInstallation[]> {
  const surveyed: SurveyedInstallation[] = [];
  for (const each of found) {
    const isServed = await isLocked(rpc, serviceLock(each.installationId), limitMs);
    surveyed.push({ ...each, isServed });
  }
  return surveyed;
}

/** Whether somebody else holds a lock of the database (RFC 7047, section 4.1.8). */
async function isLocked(rpc: JsonRpc, lock: string, limitMs: number): Promise<boolean> {
  const answer = await rpc.request("lock", [lock], limitMs);
  await rpc.request("unlock", [lock], limitMs);
  return typeof answer === "object" && answer !== null && "locked" in answer && !answer.locked;
}

/** An exchange alone, without a bridge of a VPC, forwards for nobody. */
export function installationsOn(replica: Replica): Found[] {
  const found = new Map<string, { names: string[]; forwards: boolean }>();
  for (const row of replica.bridges.values()) {
    const marks = bridgeMarks(row, portsOf(row.ports, replica));
    const id = marks.get(INSTALLATION);
    if (id === undefined) continue;
    const { names, forwards } = found.get(id) ?? { names: [], forwards: false };
    const isForwarding = forwards || marks.get(ROLE) !== "exchange";
    found.set(id, { names: [...names, row.name].sort(), forwards: isForwarding });
  }
  return [...found]
    .filter(([, { forwards }]) => forwards)
    .map(([installationId, { names }]) => ({
      installationId,
      mark: markIn(names),
      bridges: names,
    }));
}

function portsOf(uuids: readonly string[], replica: Replica) {
  return uuids.flatMap((uuid) => {
    const row = replica.ports.get(uuid);
    if (row === undefined) return [];
    const interfaces = row.interfaces.flatMap((it) => replica.interfaces.get(it) ?? []);
    return [{ row, ids: portMarks(row, interfaces) }];
  });
}

const BRIDGE_NAME = /^pb([0-9a-f]{6})(?:x|v[0-9a-z]+)$/;

/** Several marks under one id would be names that somebody else has made up. */
function markIn(names: readonly string[]): number | undefined {
  const marks = names.flatMap((name) => BRIDGE_NAME.exec(name)?.[1] ?? []);
  const [mark, ...others] = new Set(marks);
  return mark === undefined || others.length > 0 ? undefined : Number.parseInt(mark, 16);
}
