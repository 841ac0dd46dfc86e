import type { SettingDrift } from "../../../domain/data-plane.js";
import type { BackendLog } from "../backend-log.js";
import type { Unixctl } from "../unixctl.js";

/**
 * The room for connections that all zones of the userspace datapath share. How much there is, is
 * the host's own affair; that there is none left is told.
 */
export class HostTable {
  readonly #log: BackendLog;
  readonly #turned: () => void;
  #full: SettingDrift | undefined;
  #isToldFull = false;

  /** @param turned called when there is no room any more, and when there is clearly some again */
  constructor(log: BackendLog, turned: () => void) {
    this.#log = log;
    this.#turned = turned;
  }

  /** Undefined while there is room. */
  get full(): SettingDrift | undefined {
    return this.#full;
  }

  async read(unixctl: Pick<Unixctl, "run">, datapath: string): Promise<void> {
    const most = Number(await unixctl.run("dpctl/ct-get-maxconns", [datapath]));
    const count = Number(await unixctl.run("dpctl/ct-get-nconns", [datapath]));
    this.#full = count < most ? undefined : trouble(datapath, most);
    const isFull = this.#isToldFull ? count >= CLEARLY_ROOM * most : count >= most;
    if (isFull === this.#isToldFull) return;
    this.#isToldFull = isFull;
    const details = { datapath, most, count };
    if (isFull) this.#log.warn(details, "no connection can be opened on this host any more");
    else this.#log.info(details, "connections can be opened on this host again");
    this.#turned();
  }
}

/** A full table that connections come to and go from is not news each time. */
const CLEARLY_ROOM = 0.95;

function trouble(datapath: string, most: number): SettingDrift {
  const found = `${most}, all in use: no connection can be opened`;
  return { object: `datapath ${datapath}`, setting: "ct-maxconns", found, wanted: null };
}
