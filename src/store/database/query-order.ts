export type Query = (...parameters: readonly unknown[]) => unknown;

/**
 * Asks one after another, each when the answer before has come. Prisma asks for what hangs on the
 * rows of an answer all at once, in a transaction as well, where there is one connection for it; pg
 * is going to take no query while another is under way.
 */
export function inOrder(query: Query): Query {
  let last: Promise<void> | undefined;
  return (...parameters) => {
    const ask = () => query(...parameters);
    const answer = last === undefined ? ask() : last.then(ask);
    // One that takes a callback is asked of a connection that nobody else has.
    if (!(answer instanceof Promise)) return answer;
    const over = () => {
      if (last === ended) last = undefined;
    };
    const ended: Promise<void> = answer.then(over, over);
    last = ended;
    return answer;
  };
}
