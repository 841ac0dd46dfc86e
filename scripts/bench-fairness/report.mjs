import { inColumns, median, percentile } from "../lib/bench-figures.mjs";

/** What a tenant beside one that attacks is promised, of its 99th percentile. */
const MOST_RATIO = 3;
const MOST_MS = 100;

const p99 = (values) => percentile(values, 0.99);

/** @param {object} found as `underAttack` answers it, and what it was about */
export function rowOf({ idle, attacked, ...rest }) {
  return {
    ...rest,
    reads: compared(idle.reads, attacked.reads),
    writes: compared(idle.writes, attacked.writes),
  };
}

function compared(idle, attacked) {
  const figures = (values) => ({ median: median(values), p99: p99(values), calls: values.length });
  const sides = { idle: figures(idle), attacked: figures(attacked) };
  const ratio = (name) => sides.attacked[name] / sides.idle[name];
  const isMet = ratio("p99") <= MOST_RATIO && sides.attacked.p99 <= MOST_MS;
  return { ...sides, medianRatio: ratio("median"), p99Ratio: ratio("p99"), isMet };
}

/** The row in a line, for who waits. */
export function briefly({ reads, writes, name }) {
  const [read, write] = [reads, writes].map(({ idle, attacked }) => {
    return `p99 ${attacked.p99.toFixed(1)} ms, idle ${idle.p99.toFixed(1)}`;
  });
  return `${name}: reads ${read}; writes ${write}`;
}

const HEADING = [
  ...["", "calls", "median", "idle", "ratio", "p99", "idle", "ratio", "aim", "load before"],
];

/** The table, and what the attacks were answered. */
export function describe({ engine, machine, rows, options }) {
  const limits = options.rateLimit ? "limits of rates as by default" : "no limits of rates";
  const lines = rows.flatMap((row) => ["reads", "writes"].map((kind) => cells(row, kind)));
  return [
    `${engine}, ${limits}; ${machine.cpus} processors (${machine.cpu}), load ${machine.loadBefore} before, ${machine.loadAfter} after`,
    `milliseconds; aim of the p99: ratio to idle ≤ ${MOST_RATIO}, and ≤ ${MOST_MS} ms`,
    "",
    ...inColumns([HEADING, ...lines]),
    "",
    "what the attacks were answered:",
    ...rows.map(({ name, title, answers, refused }) => {
      const failures = refused === 0 ? "" : `; ${refused} calls of the other tenant FAILED`;
      return `  ${name} (${title}): ${JSON.stringify(answers)}${failures}`;
    }),
  ].join("\n");
}

function cells(row, kind) {
  const { idle, attacked, medianRatio, p99Ratio, isMet } = row[kind];
  return [
    `${kind} beside ${row.name}`,
    String(attacked.calls),
    ...[attacked.median, idle.median].map((ms) => ms.toFixed(1)),
    medianRatio.toFixed(2),
    ...[attacked.p99, idle.p99].map((ms) => ms.toFixed(1)),
    p99Ratio.toFixed(2),
    isMet ? "met" : "MISSED",
    String(row.loadBefore),
  ];
}
