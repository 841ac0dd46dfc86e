import type { Scope } from "../../domain/intent.js";
import { BackendError, type BackendEvents } from "../backend.js";
import type { SwitchNames } from "../names.js";
import type { BackendLog } from "./backend-log.js";
import type { Belief } from "./belief.js";
import { configure } from "./configure.js";
import type { Fence } from "./fence/fence.js";
import { FreezeWatch } from "./freeze-watch.js";
import { type Connection, Link } from "./link.js";
import { messageOf } from "./message-of.js";
import { Ovsdb } from "./ovsdb.js";
import { Replica } from "./replica.js";
import type { TableName } from "./rows.js";
import { isSame } from "./settings/columns.js";
import { Topology } from "./topology.js";
import { topologyChanges } from "./topology-changes.js";
import { Unixctl } from "./unixctl.js";

export interface WatchOptions {
  readonly ovsdb: string;
  readonly rundir: string;
  readonly installationId: string;
  readonly names: SwitchNames;
  readonly belief: Belief;
  readonly fence: Fence;
  readonly log: BackendLog;
  /** Asked before each connection to the database; while it rejects there is none. */
  admit(): Promise<void>;
  /** Adds the VPCs whose flows depend on what is plugged in in these. */
  withDependents(doubtful: Scope): Scope;
  /** Called after each change of the database, the topology is that of it already. */
  databaseChanged(): void;
  /** Called with every topology that is new. */
  topologyChanged(topology: Topology): void;
  /** Called when port numbers are for the first time those of this ovs-vswitchd. */
  begun(pid: number): Promise<void>;
}

/** The connections of a switch that is there. */
export interface Connections {
  readonly ovsdb: Ovsdb;
  readonly unixctl: Unixctl;
}

/**
 * Keeps the connections to ovsdb-server and ovs-vswitchd open and the topology up to date. When one
 * of them is lost or comes back, nothing that was believed of the flows holds any more.
 */
export class SwitchWatch {
  topology: Topology;
  /** The database as it is; another one with every connection. */
  replica = new Replica();
  /** Of ovs-vswitchd, such as "3.1.0"; undefined while it is not known. */
  version: string | undefined;
  readonly #freeze: FreezeWatch;
  readonly #options: WatchOptions;
  readonly #ovsdb: Link<Ovsdb>;
  readonly #unixctl: Link<Unixctl>;
  #events: BackendEvents | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  /** Whether port numbers may still be those of an ovs-vswitchd that is gone. */
  #portsAreStale = true;
  /** The ovs-vswitchd whose ports were refreshed last. */
  #refreshedPid: number | undefined;
  /** The VPCs that are being worked on: their changes are our own, and looked at afterwards. */
  #expected: Scope = new Set();

  constructor(options: WatchOptions) {
    this.#options = options;
    this.topology = new Topology(this.replica, options.installationId, options.names);
    const changed = () => this.#events?.doubt("all");
    this.#freeze = new FreezeWatch({ log: options.log, changed });
    this.#ovsdb = new Link({
      open: (lost) => this.#open(lost),
      up: (ovsdb) => this.#came("the Open vSwitch database", ovsdb),
      down: (error) => this.#went("the Open vSwitch database", error),
    });
    this.#unixctl = new Link({
      open: (lost) => Unixctl.open(options.rundir, lost),
      up: (unixctl) => {
        this.version = unixctl.version;
        this.#came(SWITCH);
      },
      down: (error) => this.#went(SWITCH, error),
    });
  }

  start(events: BackendEvents): void {
    this.#events = events;
    this.#ovsdb.start();
    this.#unixctl.start();
    this.#heartbeat = setTimeout(() => void this.#beat(), HEARTBEAT_MS).unref();
  }

  /** Who hangs keeps its sockets open: only that it does not answer tells. */
  async #beat(): Promise<void> {
    await Promise.all([this.#ovsdb.connection?.probe(), this.#unixctl.connection?.probe()]);
    if (this.#events === undefined) return;
    this.#heartbeat = setTimeout(() => void this.#beat(), HEARTBEAT_MS).unref();
  }

  stop(): void {
    this.#events = undefined;
    clearTimeout(this.#heartbeat);
    this.#ovsdb.stop();
    this.#unixctl.stop();
  }

  /**
   * Returns once the switch answers and port numbers can be relied on. A restarted ovs-vswitchd leaves the old
   * ones in the database until it has set up its bridges: so it is asked to, and waited for.
   * @throws BackendError when the switch is away, SwitchNotHeld when it is another daemon's
   */
  async ready(): Promise<void> {
    const { ovsdb, unixctl } = await this.connections();
    this.#options.fence.check();
    await this.#expectAnswer(unixctl);
    if (this.#portsAreStale) {
      this.#portsAreStale = false;
      await this.#refreshPorts(ovsdb);
      if (unixctl.pid !== this.#refreshedPid) await this.#options.begun(unixctl.pid);
      this.#refreshedPid = unixctl.pid;
    }
    await this.#freeze.check(unixctl);
  }

  /** Whether the whole switch forwards nothing new; what is asked of it is the same as in `ready`. */
  async checkFrozen(unixctl: Unixctl): Promise<boolean> {
    await this.#freeze.check(unixctl);
    return this.#freeze.isFrozen;
  }

  get isFrozen(): boolean {
    return this.#freeze.isFrozen;
  }

  /** @throws BackendError when the switch is away */
  async connections(): Promise<Connections> {
    const { ovsdb, rundir } = this.#options;
    return {
      ovsdb: await connected(
        this.#ovsdb,
        `the Open vSwitch database at ${ovsdb} cannot be reached`,
      ),
      unixctl: await connected(
        this.#unixctl,
        `ovs-vswitchd is not running, as far as ${rundir} shows`,
      ),
    };
  }

  /** Runs work that changes bridges and ports of VPCs, without raising doubt about these. */
  async expecting<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
    this.#expected = scope;
    try {
      return await work();
    } finally {
      this.#expected = new Set();
    }
  }

  /** A switch that hangs would hold up every single bridge; asked first, it does so once. */
  async #expectAnswer(unixctl: Unixctl): Promise<void> {
    try {
      await unixctl.runBeside("version", []);
    } catch (error) {
      throw new BackendError(`ovs-vswitchd does not answer: ${messageOf(error)}`, { cause: error });
    }
  }

  async #refreshPorts(ovsdb: Ovsdb): Promise<void> {
    try {
      await configure(ovsdb, []);
    } catch (error) {
      this.#portsAreStale = true;
      throw error instanceof BackendError
        ? error
        : new BackendError(messageOf(error), { cause: error });
    }
  }

  async #open(lost: (error: Error) => void): Promise<Ovsdb> {
    await this.#options.admit();
    const { ovsdb: address, fence } = this.#options;
    return Ovsdb.open({
      address,
      lock: fence.lock,
      wantsLock: !fence.standsDown,
      lost,
      changed: (db, tables) => this.#updated(db, tables),
      lockChanged: (db) => this.#heldOtherwise(db),
    });
  }

  /** Asks for the switch, or leaves it to others until told otherwise. */
  stand(isUp: boolean): void {
    const { fence } = this.#options;
    if (isUp !== fence.standsDown) return;
    fence.stand(isUp);
    // A connection that fails now is made anew, as it is wanted then.
    void this.#ovsdb.connection?.wantLock(isUp).catch(() => undefined);
  }

  /** Whoever had the switch may have changed anything. */
  #heldOtherwise(ovsdb: Ovsdb): void {
    if (this.#ovsdb.connection !== ovsdb) return;
    this.#options.fence.lockChanged(ovsdb);
    this.#doubtEverything();
  }

  #came(what: string, ovsdb?: Ovsdb): void {
    if (ovsdb !== undefined) {
      this.#options.fence.came(ovsdb);
      this.topology = this.#read(ovsdb);
      this.#freeze.follow(ovsdb.replica);
      this.#options.databaseChanged();
    }
    this.#options.topologyChanged(this.topology);
    this.#options.log.info({}, `connected to ${what}`);
    this.#doubtEverything();
  }

  #went(what: string, error: Error): void {
    if (what === SWITCH) this.#freeze.forget();
    else this.#options.fence.lost();
    this.#options.log.warn({ err: error }, `lost ${what}`);
    this.#doubtEverything();
  }

  #doubtEverything(): void {
    this.#portsAreStale = true;
    this.#options.belief.forgetAll();
    this.#events?.doubt("all");
  }

  #updated(ovsdb: Ovsdb, tables: ReadonlySet<TableName>): void {
    if (tables.has("Open_vSwitch")) {
      this.#freeze.follow(ovsdb.replica);
      this.#options.fence.rowsChanged(ovsdb);
    }
    if (!this.#concerns(ovsdb, tables)) {
      this.#options.databaseChanged();
      return;
    }
    const before = this.topology;
    this.topology = this.#read(ovsdb);
    this.#options.databaseChanged();
    this.#options.topologyChanged(this.topology);
    const { doubtful, rebuilt } = topologyChanges(before, this.topology, this.#options.names);
    for (const bridge of rebuilt) this.#options.belief.forget(bridge);
    this.#raise(this.#options.withDependents(doubtful));
  }

  /** Our own requests and the switch's answers to them change nothing else. */
  #concerns({ replica }: Ovsdb, tables: ReadonlySet<TableName>): boolean {
    if ([...tables].some((table) => TOPOLOGICAL.has(table))) return true;
    return !isSame(replica.system?.settings ?? new Map(), this.topology.settings);
  }

  #raise(doubtful: Scope): void {
    // What another daemon does is looked at when it has ended.
    if (this.#options.fence.state.kind === "another") return;
    const expected = this.#expected;
    if (expected === "all") return;
    const others =
      doubtful === "all" ? doubtful : new Set([...doubtful].filter((id) => !expected.has(id)));
    if (others === "all" || others.size > 0) this.#events?.doubt(others);
  }

  #read({ replica }: Ovsdb): Topology {
    this.replica = replica;
    return new Topology(replica, this.#options.installationId, this.#options.names);
  }
}

/** Tables that say which bridges and ports there are. */
const TOPOLOGICAL: ReadonlySet<TableName> = new Set(["Bridge", "Port", "Interface"]);
const SWITCH = "ovs-vswitchd";
const HEARTBEAT_MS = 1000;

async function connected<C extends Connection>(link: Link<C>, trouble: string): Promise<C> {
  try {
    return await link.ready();
  } catch (error) {
    throw new BackendError(`${trouble}: ${messageOf(error)}`, { cause: error });
  }
}
