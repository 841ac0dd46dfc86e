import type { SettingDrift } from "../../../domain/data-plane.js";
import type { BackendLog } from "../switch-watch.js";
import type { Unixctl } from "../unixctl.js";

/**
 * The room for connections that all zones of the userspace datapath share. How much there is, is
 * the host's own affair; that there is none left is told.
 */
export class HostTable {
  readonly #log: BackendLog;
  #full: SettingDrift | undefined;

  constructor(log: BackendLog) {
    this.#log = log;
  }

  /** Undefined while there is room. */
  get full(): SettingDrift | undefined {
    return this.#full;
  }

  async read(unixctl: Pick<Unixctl, "run">, datapath: string): Promise<void> {
    const most = Number(await unixctl.run("dpctl/ct-get-maxconns", [datapath]));
    const count = Number(await unixctl.run("dpctl/ct-get-nconns", [datapath]));
    const was = this.#full;
    this.#full = count < most ? undefined : trouble(datapath, most);
    if (was === undefined && this.#full !== undefined) {
      this.#log.warn(
        { datapath, most, count },
        "no connection can be opened on this host any more",
      );
    } else if (was !== undefined && this.#full === undefined) {
      this.#log.info({ datapath, most, count }, "connections can be opened on this host again");
    }
  }
}

function trouble(datapath: string, most: number): SettingDrift {
  const found = `${most}, all in use: no connection can be opened`;
  return { object: `datapath ${datapath}`, setting: "ct-maxconns", found, wanted: null };
}
