/** What the switch remembers of an interface's connections: those it opens, and those opened to it. */
export interface InterfaceConnections {
  readonly caller: ConnectionUse;
  readonly called: ConnectionUse;
}

export interface ConnectionUse {
  /** Connections that are remembered, some perhaps that have just expired. */
  readonly count: number;
  /** As many may be: then no more can be opened. */
  readonly limit: number;
}

/** How many interfaces have as many connections as they may. */
export type FullInterfaces = { readonly [side in keyof InterfaceConnections]: number };
