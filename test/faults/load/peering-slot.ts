import { z } from "zod";
import { type Answer, reason } from "../caller.js";
import { ABSENT } from "../ledger.js";
import { now, pace } from "../time.js";
import type { Site } from "../world.js";
import { lookAtPeering, phaseOf } from "./looks.js";
import type { Scene } from "./scene.js";

const POLL_MS = 50;
/** A fault may hold the cut up; once it has ended the cut must come. */
const CUT_LIMIT_MS = 90_000;

const created = z.object({ id: z.string(), state: z.string() });
const settled = z.object({ state: z.string() });

/** What may become of a request by itself: blocks that overlap end it, across tenants unexplained. */
const REQUESTED = ["pending-acceptance", "failed"];

export type SlotPhase = "none" | "pending-acceptance" | "accepted" | "ending";

/** The peering between two sites, if any: at most one change at a time. */
export class PeeringSlot {
  readonly a: Site;
  readonly b: Site;
  phase: SlotPhase = "none";
  busy = false;
  id: string | undefined;
  #requester: Site;
  /**
   * Peerings of one of the two with a site that has addresses of the other. Whichever is accepted
   * first has the way; the other one's routes are contested for good, whatever becomes of the first.
   */
  rivals: readonly PeeringSlot[] = [];
  #accepting = false;
  #accepts = 0;
  /** Whether no rival can have been live, or have become so, while this one was accepted. */
  #uncontested = false;
  /** Milliseconds from each deletion to its `deleted`. */
  readonly cuts: number[] = [];

  constructor(a: Site, b: Site) {
    this.a = a;
    this.b = b;
    this.#requester = a;
  }

  get key(): string {
    return `/vpc-peerings/${this.id}`;
  }

  get #accepter(): Site {
    return this.#requester === this.a ? this.b : this.a;
  }

  /** Whether packets should pass both ways, as far as has been acknowledged. */
  get shouldTalk(): boolean {
    return this.phase === "accepted" && this.#uncontested;
  }

  get #mayBeLive(): boolean {
    return this.phase === "accepted" || this.phase === "ending" || this.#accepting;
  }

  get #hasRival(): boolean {
    return this.rivals.some((slot) => slot.#mayBeLive);
  }

  /** How many accepts of rivals have begun so far. */
  get #rivalAccepts(): number {
    return this.rivals.reduce((sum, slot) => sum + slot.#accepts, 0);
  }

  async request({ ledger }: Scene, requester: Site): Promise<void> {
    this.#requester = requester;
    const accepter = this.#accepter;
    const answer = await requester.caller.change("POST", "/vpc-peerings", {
      requesterVpcId: requester.vpc.id,
      accepterVpcId: accepter.vpc.id,
      accepterTenantId: accepter.tenant.tenantId,
    });
    if (answer.status >= 300) return;
    const { id } = created.parse(answer.body);
    this.id = id;
    this.phase = "pending-acceptance";
    // The same request again is answered with the peering that is there.
    if (ledger.has(this.key)) return;
    ledger.add(this.key, lookAtPeering(requester.caller, id), ...REQUESTED);
  }

  /** Refused, or accepted without routes that carry packets, where a rival was first. */
  async accept(scene: Scene, waitSeconds: number): Promise<void> {
    const before = this.#rivalAccepts;
    const alone = !this.#hasRival;
    this.#accepts += 1;
    this.#accepting = true;
    try {
      await this.#accept(scene, waitSeconds);
    } finally {
      this.#accepting = false;
    }
    this.#uncontested = alone && !this.#hasRival && this.#rivalAccepts === before;
  }

  async #accept(scene: Scene, waitSeconds: number): Promise<void> {
    const { windows, ledger } = scene;
    windows.open(this.a.number, this.b.number, now());
    const path = `${this.key}/accept?wait=${waitSeconds}`;
    const answer = await this.#accepter.caller.change("POST", path);
    if (answer.status >= 300) {
      await this.#refused(scene, answer);
    } else if (phaseOf(answer.body) === "accepted") {
      ledger.settle(this.key, "accepted");
      this.phase = "accepted";
    } else {
      await this.#refused(scene, answer);
    }
  }

  async reject(scene: Scene): Promise<void> {
    const answer = await this.#accepter.caller.change("POST", `${this.key}/reject`);
    if (answer.status >= 300) return this.#refused(scene, answer);
    scene.ledger.settle(this.key, "rejected");
    this.phase = "none";
  }

  /** By either side; a request only by who made it. Returns once it is reported as deleted. */
  async delete(scene: Scene, waitSeconds: number, either: Site): Promise<void> {
    const wasPending = this.phase === "pending-acceptance";
    const who = wasPending ? this.#requester : either;
    const begun = now();
    this.phase = "ending";
    const path = `${this.key}?wait=${waitSeconds}`;
    const answer = await who.caller.change("DELETE", path);
    if (answer.status >= 300) return this.#refused(scene, answer);
    scene.ledger.settle(this.key, "deleted");
    const { state } = settled.parse(answer.body);
    if (state !== "deleted") await this.#untilDeleted(who);
    const ended = now();
    scene.windows.close(this.a.number, this.b.number, ended);
    if (!wasPending) this.cuts.push(ended - begun);
    this.phase = "none";
  }

  async #untilDeleted(who: Site): Promise<void> {
    const deadline = now() + CUT_LIMIT_MS;
    for (;;) {
      const { status, body } = await who.caller.read(this.key);
      // After a step of the clock it may be hidden at once: reported as gone.
      if (status === 404 || settled.parse(body).state === "deleted") return;
      if (now() > deadline) throw new Error(`${this.key} is not deleted after ${CUT_LIMIT_MS} ms`);
      await pace(POLL_MS);
    }
  }

  /** Time, or an overlap, may have ended the request: what it is now tells how to go on. */
  async #refused({ windows }: Scene, answer: Answer): Promise<void> {
    const { status, body } = await this.#requester.caller.read(this.key);
    const phase = status === 404 ? ABSENT : phaseOf(body);
    if (phase === "accepted" || phase === "deleted") {
      throw new Error(
        `${this.key} is ${phase}, though a call on it was answered ${reason(answer)}`,
      );
    }
    windows.close(this.a.number, this.b.number, now());
    this.phase = phase === "pending-acceptance" ? phase : "none";
  }
}
