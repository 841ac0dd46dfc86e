/** How many connections there may be. */
export interface ConnectionBounds {
  readonly total: number;
  /** Of one client address, whatever they do. */
  readonly perAddress: number;
  /** Of one client address, without a complete request. */
  readonly unfinishedPerAddress: number;
  /** Of one client address, between two requests. */
  readonly idlePerAddress: number;
}

/** How long a client may take, in milliseconds. */
export interface ConnectionTimes {
  readonly handshakeMs: number;
  /** From the first byte of a request, or from the connection, to the end of its header. */
  readonly headerMs: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
  /** Without taking anything of an answer that waits for it. */
  readonly answerMs: number;
  /** To read why it is refused, before the connection is closed. */
  readonly lingerMs: number;
  /** Between two looks at all of these. */
  readonly sweepMs: number;
}

export interface ConnectionLimits extends ConnectionBounds, ConnectionTimes {
  /** Of answers that are ready and not taken, of all connections together. */
  readonly unsentBytes: number;
}

export const CONNECTION_TIMES: ConnectionTimes = {
  handshakeMs: 10_000,
  headerMs: 20_000,
  requestMs: 60_000,
  // Longer than the 60 seconds after which common load balancers let go, else they see resets.
  keepAliveMs: 75_000,
  answerMs: 120_000,
  lingerMs: 1000,
  sweepMs: 1000,
};

/**
 * Requests of one connection that have no answer yet. Who sends the next before the answer is
 * there must be ready to send it again (RFC 9112, 9.3.2).
 */
export const MOST_UNANSWERED = 8;

/** What a page of a list on each of 256 connections takes; a fraction of what Node has for all. */
const MOST_UNSENT_BYTES = 256 * 1024 * 1024;

/** Each has its buffers, and a request whose header may have 16 KiB, or some that wait. */
const MOST_CONNECTIONS = 10_000;
const MOST_UNFINISHED = 128;
const MOST_IDLE = 256;

/**
 * As many connections as half of the descriptors: the other half is for more files of the
 * database, sockets of the switch and programs. And no address may have more than half of the
 * connections.
 * @param descriptors how many this process may have open beside those that it has for itself
 */
export function boundsFor(descriptors: number): ConnectionBounds {
  const total = Math.max(2, Math.min(MOST_CONNECTIONS, Math.floor(descriptors / 2)));
  const perAddress = Math.floor(total / 2);
  const half = Math.max(1, Math.floor(perAddress / 2));
  return {
    total,
    perAddress,
    unfinishedPerAddress: Math.min(MOST_UNFINISHED, half),
    idlePerAddress: Math.min(MOST_IDLE, half),
  };
}

/** Of a process with more descriptors than connections could use. */
export const USUAL_LIMITS: ConnectionLimits = {
  ...CONNECTION_TIMES,
  ...boundsFor(Number.POSITIVE_INFINITY),
  unsentBytes: MOST_UNSENT_BYTES,
};
