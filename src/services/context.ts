import type { Settlements, Waker } from "../domain/data-plane.js";
import type { Quotas } from "../domain/quotas.js";
import type { EventRetention } from "../domain/retention.js";
import type { PrismaClient } from "../generated/prisma/client.js";
import type { Credentials } from "./credentials/credentials.js";
import type { KeyUses } from "./credentials/key-uses.js";
import type { OperatorToken } from "./credentials/operator-token.js";
import type { Following } from "./following.js";
import type { SecretBox } from "./secrets.js";

/** Who holds which access key, and how that is changed. */
export type CredentialsInUse = Pick<Credentials, keyof Credentials>;

/** What every use case is given. */
export interface ServiceContext {
  readonly db: PrismaClient;
  readonly waker: Waker;
  readonly settlements: Settlements;
  /** Set in a call that is to be answered once the switch has followed. */
  readonly following?: Following;
  readonly clock: () => Date;
  readonly secrets: SecretBox;
  readonly credentials: CredentialsInUse;
  readonly keyUses: KeyUses;
  readonly operatorToken: OperatorToken;
  readonly peeringExpirySeconds: number;
  readonly quotas: Quotas;
  readonly eventRetention: EventRetention;
}
