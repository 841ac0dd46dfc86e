import { Random } from "../random.js";
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

/**
 * This database's part when both together are to have every kind: those that have nothing to do with
 * the database are dealt among the two, as the seed tells.
 */
export function faultsDealtTo(database: DatabaseKind, seed: number): Fault[] {
  const anywhere = ALL.filter((fault) => !isOfDatabase(fault));
  const dealt = new Random(seed).shuffled(anywhere).filter((_, at) => at % 2 === PARITY[database]);
  return faultsFor(database).filter((fault) => isOfDatabase(fault) || dealt.includes(fault));
}

const PARITY: Readonly<Record<DatabaseKind, number>> = { embedded: 0, PostgreSQL: 1 };

function isOfDatabase({ databases, dependsOnDatabase }: Fault): boolean {
  return databases !== undefined || dependsOnDatabase === true;
}
