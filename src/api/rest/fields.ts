import { z } from "zod";
import { parseCidr } from "../../domain/cidr.js";
import {
  ACCESS_KEY_ID_PATTERN,
  ID_PREFIXES,
  type IdKind,
  idPattern,
  TENANT_ID_PATTERN,
} from "../../domain/ids.js";

export const MOST_TAGS = 50;

/** What the embedded database's decoder drops at the beginning of a text. */
const BYTE_ORDER_MARK = "\ufeff";

/** Text that PostgreSQL can store: no NUL characters and no halves of surrogate pairs. */
function text(min: number, max: number) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((value) => !value.includes("\0") && !/\p{Cs}/u.test(value), "not valid Unicode text")
    .refine((value) => !value.startsWith(BYTE_ORDER_MARK), "begins with a byte order mark");
}

export const name = text(0, 255).describe("Free text");
export const requiredName = text(1, 255);
export const nameOrNull = name.nullable().describe("Free text; null removes it");

export const description = text(0, 255).describe("Free text");

export const tagKey = text(1, 128);
export const tagValue = text(0, 256);

export const tags = z
  .record(tagKey, tagValue)
  .refine((map) => Object.keys(map).length <= MOST_TAGS, `more than ${MOST_TAGS} tags`)
  .describe(`At most ${MOST_TAGS} pairs`);

export const newTags = tags.optional().describe("Replaces all tags");

/** What can be changed of most resources. */
export const describeFields = { name: nameOrNull.optional(), tags: newTags };

/** Whether a block is acceptable is the domain's business; here it is text. */
export const cidrBlock = text(1, 64).describe("An IPv4 block such as 10.0.0.0/16");
/** A block in a path: its slash is URL-encoded. One that is not canonical names nothing. */
export const cidrParameter = text(1, 64)
  .refine(isCanonicalBlock, "expected a block such as 10.0.0.0/16, host bits zero")
  .describe("A block, URL-encoded, such as 10.0.0.0%2F16");
export const ipAddress = text(1, 64).describe("An IPv4 address");
export const macAddress = text(1, 64).describe("Six octets, such as 02:00:00:00:00:01");
export const availabilityZone = text(1, 64);

export function id(kind: IdKind) {
  const example = `${ID_PREFIXES[kind]}-0123456789abcdef0`;
  return z.string().regex(idPattern(kind), `expected an id such as ${example}`);
}

export const tenantId = z.string().regex(TENANT_ID_PATTERN, "expected 12 decimal digits");
export const accessKeyId = z
  .string()
  .regex(ACCESS_KEY_ID_PATTERN, "expected AKPB and 16 characters of base32");

export function pathId(kind: IdKind) {
  return z.strictObject({ id: id(kind) });
}

/** RFC 3339 in UTC. */
export const time = z.iso.datetime();

/** A body in which everything is optional, and which may therefore be absent. */
export function optionalBody<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape).optional();
}

/** For lists in which nothing counts twice. */
export function refuseRepetitions(values: readonly string[], ctx: z.RefinementCtx): void {
  for (const [index, value] of values.entries()) {
    if (values.indexOf(value) === index) continue;
    ctx.addIssue({ code: "custom", path: [index], message: "named twice" });
  }
}

export const noContent = z.undefined().describe("Done");

function isCanonicalBlock(text: string): boolean {
  const parsed = parseCidr(text);
  return parsed?.canonical === true && parsed.block.family === 4;
}
