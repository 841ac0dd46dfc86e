import { closeSync, fsyncSync, openSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

type InitResult = Awaited<ReturnType<NodeFS["init"]>>;
type EmscriptenOptions = InitResult["emscriptenOpts"];

interface EmscriptenNode {
  readonly mode: number;
}

interface EmscriptenStream {
  /** Node's file descriptor; absent for directories. */
  readonly nfd?: number;
  readonly node: EmscriptenNode;
}

interface EmscriptenModule {
  readonly NODEFS: {
    readonly stream_ops: { fsync?: (stream: EmscriptenStream) => number };
    realPath(node: EmscriptenNode): string;
  };
}

export type Sync = (fileDescriptor: number) => void;

/**
 * PGlite's file system on Node, with an fsync that reaches the disk: the stock one has none, and a
 * power loss then leaves a database that does not open.
 *
 * Leans on internals of PGlite 0.5.16 (the NODEFS object of Emscripten), hence the exact pin.
 */
export class SyncedNodeFS extends NodeFS {
  readonly #sync: Sync;

  constructor(dataDir: string, sync: Sync = fsyncSync) {
    super(dataDir);
    this.#sync = sync;
  }

  override async init(...args: Parameters<NodeFS["init"]>): Promise<InitResult> {
    const { emscriptenOpts } = await super.init(...args);
    const addFsync = (module: unknown) => this.#addFsync(module as EmscriptenModule);
    return { emscriptenOpts: { ...emscriptenOpts, preRun: preRunWith(emscriptenOpts, addFsync) } };
  }

  #addFsync({ NODEFS }: EmscriptenModule): void {
    NODEFS.stream_ops.fsync = ({ nfd, node }) => {
      if (nfd === undefined) syncPath(NODEFS.realPath(node), this.#sync);
      else this.#sync(nfd);
      return 0;
    };
  }
}

/** PGlite's own parameters without "-F" (which turns fsync off). */
export function syncedStartParams(): string[] {
  const settings = [
    "fsync=on",
    "wal_sync_method=fsync",
    "synchronous_commit=on",
    "shared_buffers=16MB",
  ];
  const own = PGlite.defaultStartParams.filter((parameter) => parameter !== "-F");
  return [...own, ...settings.flatMap((setting) => ["-c", setting])];
}

/** Makes what stands at `path`, a file or the entries of a directory, survive a power loss. */
export function syncPath(path: string, sync: Sync = fsyncSync): void {
  const fileDescriptor = openSync(path, "r");
  try {
    sync(fileDescriptor);
  } finally {
    closeSync(fileDescriptor);
  }
}

function preRunWith(options: EmscriptenOptions, hook: (module: unknown) => void) {
  const { preRun } = options;
  const hooks = preRun === undefined ? [] : Array.isArray(preRun) ? preRun : [preRun];
  return [...hooks, hook] as NonNullable<EmscriptenOptions["preRun"]>;
}
