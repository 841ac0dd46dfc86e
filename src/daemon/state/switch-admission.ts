import type { PrismaClient } from "../../generated/prisma/client.js";
import { type Installation, rememberOvs } from "../../store/installation.js";
import { RefusedError } from "../startup-error.js";
import type { Examination } from "./examine.js";

interface Options {
  readonly installation: Installation;
  readonly db: PrismaClient;
  readonly examination: Pick<Examination, "sawSwitch" | "admitSwitch">;
  /** Told of a switch on which this installation must not begin. */
  readonly fail: (error: Error) => void;
}

/**
 * Lets an installation begin on a switch. One that was away at the start is looked at when it comes,
 * before it is connected to.
 * @returns what is to be asked before each connection
 */
export async function switchAdmission(options: Options): Promise<() => Promise<void>> {
  const { installation, db, examination, fail } = options;
  let isAdmitted = installation.backend === "ovs";
  const admit = async () => {
    isAdmitted = true;
    await rememberOvs(db);
  };
  if (!isAdmitted && examination.sawSwitch) await admit();
  return async () => {
    if (isAdmitted) return;
    try {
      await examination.admitSwitch(installation.installationId);
    } catch (error) {
      if (error instanceof RefusedError) fail(error);
      throw error;
    }
    await admit();
  };
}
