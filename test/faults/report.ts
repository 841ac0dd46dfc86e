import { percentile, type Summary } from "./summary.js";

const FIRST_WIDTH = 44;
const WIDTH = 24;

/** Times in milliseconds. */
function figuresOf(times: readonly number[]) {
  const p = (share: number) => (times.length === 0 ? null : Math.round(percentile(times, share)));
  return { p50Ms: p(0.5), p99Ms: p(0.99), mostMs: p(1) };
}

function recoveriesOf({ kinds }: Summary) {
  const times = Object.values(kinds).flatMap(({ recovery }) => recovery);
  const count = Object.values(kinds).reduce((sum, each) => sum + each.count, 0);
  return { count, ...figuresOf(times) };
}

/** What a run has come to, for programs: figures in place of every single time. */
export function digestOf(summary: Summary): object {
  const { cuts, kinds, ...rest } = summary;
  const byKind = Object.entries(kinds).map(([kind, { count, recovery }]) => {
    return [kind, { count, ...figuresOf(recovery) }];
  });
  return {
    ...rest,
    faults: { ...recoveriesOf(summary), kinds: Object.fromEntries(byKind) },
    deletions: figuresOf(cuts),
  };
}

type Row = readonly [title: string, cell: (summary: Summary) => string];

const ms = (value: number | null) => (value === null ? "-" : `${value} ms`);

function times(count: number, { p50Ms, p99Ms }: ReturnType<typeof figuresOf>): string {
  return `${count} x ${ms(p50Ms)}, ${ms(p99Ms)}`;
}

function kindRow(kind: string): Row {
  return [
    kind,
    ({ kinds }) => {
      const { count, recovery } = kinds[kind] ?? { count: 0, recovery: [] };
      return count === 0 ? "-" : times(count, figuresOf(recovery));
    },
  ];
}

const TOTALS: readonly Row[] = [
  ["all faults", (summary) => times(recoveriesOf(summary).count, recoveriesOf(summary))],
  ["probes sent", ({ probesSent }) => String(probesSent)],
  ["probes arrived", ({ probesArrived }) => String(probesArrived)],
  ["probes leaked", ({ probesLeaked }) => String(probesLeaked)],
  ["writes acknowledged", ({ calls }) => String(calls.acknowledged)],
  ["writes looked at again", ({ writesVerified }) => String(writesVerified)],
  ["writes lost", ({ lostWrites }) => String(lostWrites.length)],
  ["writes nobody was told of", ({ strayWrites }) => String(strayWrites.length)],
  ["calls refused", ({ calls }) => String(calls.refused)],
  ["calls without an answer at first", ({ calls }) => String(calls.unanswered)],
  ["calls answered 500", ({ calls }) => String(calls.internalErrors)],
  ["deletions until reported: p50, p99", ({ cuts }) => times(cuts.length, figuresOf(cuts))],
  ["late recoveries", ({ lateRecoveries }) => String(lateRecoveries.length)],
  ["differences left", ({ differences }) => String(differences.length)],
  ["orphans", ({ orphans }) => String(orphans.length)],
];

/** For people: all runs side by side. */
export function reportOf(summaries: readonly Summary[]): string {
  const kinds = [...new Set(summaries.flatMap((summary) => Object.keys(summary.kinds)))].sort();
  const rows: readonly Row[] = [...kinds.map(kindRow), ...TOTALS];
  const head = summaries.map(({ database, minutes }) => `${database}, ${minutes.toFixed(1)} min`);
  return [
    "kind of fault: times x recovery p50, p99",
    line("", head),
    ...rows.map(([title, cell]) => line(title, summaries.map(cell))),
  ].join("\n");
}

function line(title: string, cells: readonly string[]): string {
  return title.padEnd(FIRST_WIDTH) + cells.map((cell) => cell.padStart(WIDTH)).join("");
}
