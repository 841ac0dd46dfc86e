import type { DatabaseKind } from "../world.js";
import { daemonFaults } from "./daemon.js";
import type { Fault } from "./fault.js";
import { flowFaults } from "./flows.js";
import { postgresFaults } from "./postgres.js";
import { surroundingsFaults } from "./surroundings.js";
import { switchFaults } from "./switch.js";

const ALL = [
  ...daemonFaults,
  ...switchFaults,
  ...flowFaults,
  ...surroundingsFaults,
  ...postgresFaults,
];

/** Every kind of fault that there is with this database. */
export function faultsFor(database: DatabaseKind): Fault[] {
  return ALL.filter(({ databases }) => databases?.includes(database) ?? true);
}
