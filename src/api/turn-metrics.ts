import { Gauge, type Registry } from "prom-client";

/** The calls that have a turn with the database at present, and those that wait for one. */
export interface CallsInTurn {
  readonly running: number;
  readonly waiting: number;
}

export function observeTurns(registry: Registry, calls: CallsInTurn): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    const collect = function (this: Gauge): void {
      this.set(read());
    };
    new Gauge({ name: `patchbay_calls_${name}`, help, registers: [registry], collect });
  };
  gauge("running", "Calls that have their turn with the database", () => calls.running);
  gauge("waiting", "Calls that wait for their turn, of all tenants", () => calls.waiting);
}
