import { z } from "zod";

export const IDEMPOTENCY_KEY = "idempotency-key";

const PRINTABLE_ASCII = /^[\x20-\x7e]{1,255}$/;

/** The headers of every call that changes something. */
export const idempotencyHeaders = z.looseObject({
  [IDEMPOTENCY_KEY]: z
    .string()
    .regex(PRINTABLE_ASCII, "expected 1 to 255 printable ASCII characters")
    .optional()
    .describe(
      "The same key with the same call gives the same answer for 24 h and changes nothing twice; a refusal that may pass is not kept",
    ),
});
