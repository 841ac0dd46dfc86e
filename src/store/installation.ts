import { randomBytes, randomInt } from "node:crypto";
import type { PrismaClient } from "../generated/prisma/client.js";

/** Who this installation is on a switch. It belongs to the intent, so it is stored beside it. */
export interface Installation {
  readonly installationId: string;
  /** 24 bits, never zero. */
  readonly mark: number;
  /** "ovs" once it has programmed a switch: such an installation never turns no-op by itself. */
  readonly backend: "ovs" | null;
}

const MARKS = 1 << 24;

export type Identity = Pick<Installation, "installationId" | "mark">;

/** The installation's identity, made up on first use. */
export async function loadInstallation(db: PrismaClient): Promise<Installation> {
  return beginInstallation(db, {
    installationId: randomBytes(16).toString("hex"),
    mark: randomInt(1, MARKS),
  });
}

/** Takes an identity that a switch knows already, unless this installation has programmed one. */
export async function adoptIdentity(db: PrismaClient, identity: Identity): Promise<Installation> {
  await db.installation.updateMany({ where: { backend: null }, data: identity });
  return beginInstallation(db, identity);
}

async function beginInstallation(db: PrismaClient, identity: Identity): Promise<Installation> {
  await db.$executeRaw`
    INSERT INTO "installation" ("installation_id", "mark")
    VALUES (${identity.installationId}, ${identity.mark})
    ON CONFLICT DO NOTHING`;
  const row = await db.installation.findUniqueOrThrow({
    where: { singleton: true },
  });
  const { installationId, mark } = row;
  return { installationId, mark, backend: row.backend === "ovs" ? "ovs" : null };
}

export async function rememberOvs(db: PrismaClient): Promise<void> {
  await db.installation.update({
    where: { singleton: true },
    data: { backend: "ovs" },
  });
}

/** Stores a sealed text as the check of the key, unless there is one; answers the one that is. */
export async function claimKeyCheck(db: PrismaClient, sealed: Uint8Array): Promise<Uint8Array> {
  await db.installation.updateMany({
    where: { singleton: true, keyCheck: null },
    data: { keyCheck: new Uint8Array(sealed) },
  });
  const row = await db.installation.findUniqueOrThrow({ where: { singleton: true } });
  if (row.keyCheck === null) throw new Error("the installation has no key check");
  return row.keyCheck;
}
