import { explainSilence } from "./explain.js";
import { revive } from "./faults/daemon.js";
import type { Circumstances, Fault } from "./faults/fault.js";
import { faultsDealtTo, faultsFor } from "./faults/index.js";
import { Ledger } from "./ledger.js";
import { Load } from "./load/load.js";
import { PeeringSlot } from "./load/peering-slot.js";
import type { Scene } from "./load/scene.js";
import type { Options } from "./options.js";
import { Random } from "./random.js";
import { RecoveryWatch } from "./recovery.js";
import type { Summary } from "./summary.js";
import { now, pace } from "./time.js";
import { judge, judgeOrphans } from "./verdict.js";
import { Windows } from "./windows.js";
import type { Site, World } from "./world.js";

const LONGEST_GAP_MS = 1500;
/** How often the daemon is killed on top of another fault. */
const DAEMON_TOO = 0.2;
const PAUSE_LIMIT_MS = 150_000;
/** Peerings there are before the first fault; the load makes and ends others. */
const PEERED_AT_FIRST = 6;
/** Changes between two faults, at the least: on a slow machine the gap alone has room for none. */
const CHANGES_BETWEEN = 12;
const CHANGES_LIMIT_MS = 60_000;

/**
 * Faults under load, one after another, until all kinds were there that this database is to have,
 * or the time is over.
 * @param summary is filled in, as far as the run comes
 */
export async function runFaults(
  world: World,
  options: Options,
  minutes: number | undefined,
  summary: Summary,
): Promise<void> {
  const random = new Random(options.seed);
  const scene = makeScene(world);
  const load = new Load(scene, random.fork());
  await peerSome(scene, random);
  const begun = now();
  const until = minutes === undefined ? undefined : begun + minutes * 60_000;
  load.start();
  const circumstances = { world, scene, random };
  try {
    for (const fault of deal(kindsFor(world, options), random, until)) {
      await round(circumstances, fault, load, summary);
    }
    await within(load.pause(), PAUSE_LIMIT_MS, "the load to come to rest");
    await judge(scene, summary, "at the end");
    await judgeOrphans(scene, summary);
  } finally {
    conclude(scene, summary, (now() - begun) / 60_000);
  }
}

/** Also of a run that has failed. */
function conclude({ world, ledger, slots }: Scene, summary: Summary, minutes: number): void {
  summary.minutes = minutes;
  summary.calls = world.calls;
  summary.probesSent = world.probers.reduce((sum, { sent }) => sum + sent, 0);
  summary.writesVerified = ledger.verified;
  summary.cuts = slots.flatMap(({ cuts }) => cuts);
  summary.peeringsEnded = summary.cuts.length;
}

function makeScene(world: World): Scene {
  const slots = pairsOf(world.sites).map(([a, b]) => new PeeringSlot(a, b));
  for (const slot of slots) slot.rivals = rivalsOf(slot, slots);
  return { world, ledger: new Ledger(), windows: new Windows(), slots };
}

function rivalsOf({ a, b }: PeeringSlot, slots: readonly PeeringSlot[]): PeeringSlot[] {
  const between = (one: Site, other: Site) => (slot: PeeringSlot) =>
    (slot.a === one && isAlike(other, slot.b)) || (slot.b === one && isAlike(other, slot.a));
  return [...slots.filter(between(a, b)), ...slots.filter(between(b, a))];
}

/** Whether who peers with both has to choose between them. */
function isAlike(site: Site, other: Site): boolean {
  return site !== other && site.eni.privateIp === other.eni.privateIp;
}

function pairsOf(sites: readonly Site[]): [Site, Site][] {
  return sites.flatMap((a, index) => sites.slice(index + 1).map((b): [Site, Site] => [a, b]));
}

async function peerSome(scene: Scene, random: Random): Promise<void> {
  for (const slot of random.shuffled(scene.slots)) {
    if (scene.slots.filter(({ shouldTalk }) => shouldTalk).length >= PEERED_AT_FIRST) return;
    await slot.request(scene, slot.a);
    await slot.accept(scene, 10);
  }
}

/** In the short form both databases together have every kind; otherwise each has all that it can. */
function kindsFor({ database }: World, { only, minutes, seed }: Options): Fault[] {
  if (only === undefined && minutes === undefined) return faultsDealtTo(database, seed);
  const wanted = faultsFor(database).filter(({ kind }) => kind.includes(only ?? ""));
  if (wanted.length === 0) throw new Error(`no kind of fault is called '${only}'`);
  return wanted;
}

/** Every kind once, in an order that the seed tells; again and again until the time is over. */
function* deal(
  kinds: readonly Fault[],
  random: Random,
  until: number | undefined,
): Generator<Fault> {
  do {
    for (const fault of random.shuffled(kinds)) {
      if (until !== undefined && now() > until) return;
      yield fault;
    }
  } while (until !== undefined && now() < until);
}

async function round(
  circumstances: Circumstances,
  fault: Fault,
  load: Load,
  summary: Summary,
): Promise<void> {
  const { world, scene, random } = circumstances;
  const label = `fault ${Object.values(summary.kinds).reduce((n, { count }) => n + count, 1)}, ${fault.kind}`;
  await pace(random.between(0, LONGEST_GAP_MS));
  await load.untilChanged(CHANGES_BETWEEN, CHANGES_LIMIT_MS);
  diary(world, `${label} begins`);
  await sufferFault(circumstances, fault);
  const watch = new RecoveryWatch(now());
  diary(world, `${label} has ended`);
  world.onArrival = watch.note;
  const { times, late } = await watch.of(scene.slots, fault.recoveryLimitMs, async (silent) =>
    diary(world, await explainSilence(world, silent)),
  );
  summary.kinds[fault.kind] ??= { count: 0, recovery: [] };
  const kind = summary.kinds[fault.kind];
  if (kind !== undefined) {
    kind.count += 1;
    kind.recovery.push(...times);
  }
  for (const line of late) diary(world, `late: ${line}`);
  summary.lateRecoveries.push(...late.map((line) => `${label}: ${line}`));
  await within(load.pause(), PAUSE_LIMIT_MS, `the load to come to rest after ${label}`);
  await judge(scene, summary, label);
  load.start();
}

/** Strikes, lets it hold for a while, heals; now and then the daemon is killed on top of it. */
async function sufferFault({ world, scene, random }: Circumstances, fault: Fault): Promise<void> {
  const [least, most] = fault.holds;
  const holdMs = random.between(least, most);
  const killsDaemon = fault.alone !== true && random.chance(DAEMON_TOO);
  const killAfterMs = random.between(0, holdMs);
  const heal = await fault.strike({ world, scene, random });
  if (!killsDaemon) {
    await pace(holdMs);
    return heal();
  }
  await pace(killAfterMs);
  diary(world, "and the daemon is killed");
  await world.daemon.kill();
  const back = revive(world);
  const healed = pace(holdMs - killAfterMs).then(heal);
  await Promise.all([back, healed]);
}

/** Beside the daemon's own log, whose times are those of its clock. */
function diary({ diary: lines, daemon }: World, what: string): void {
  lines.push(`${new Date().toISOString()} ${what} (log at ${daemon.log().length})`);
}

async function within<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
