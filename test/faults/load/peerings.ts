import type { Random } from "../random.js";
import type { PeeringSlot } from "./peering-slot.js";
import type { Action, Scene } from "./scene.js";

/** Asks for peerings, accepts most, ends some: about half of what can be peered is, at any time. */
export function peeringActions(scene: Scene): Action[] {
  return [
    {
      weight: 10,
      run: async (random) => {
        const idle = scene.slots.filter(({ busy }) => !busy);
        if (idle.length === 0) return;
        const slot = random.pick(idle);
        slot.busy = true;
        try {
          await step(scene, slot, random);
        } finally {
          slot.busy = false;
        }
      },
    },
  ];
}

async function step(scene: Scene, slot: PeeringSlot, random: Random): Promise<void> {
  const side = random.chance(0.5) ? slot.a : slot.b;
  const waitSeconds = random.pick([0, 0, 2, 10]);
  if (slot.phase === "none") {
    await slot.request(scene, side);
  } else if (slot.phase === "pending-acceptance") {
    const drawn = random.unit();
    if (drawn < 0.75) await slot.accept(scene, waitSeconds);
    else if (drawn < 0.9) await slot.reject(scene);
    else await slot.delete(scene, waitSeconds, side);
  } else if (slot.phase === "accepted" && random.chance(0.4)) {
    await slot.delete(scene, waitSeconds, side);
  }
}
