import { z } from "zod";
import type { Principal } from "../../domain/principal.js";
import type { Page, PageRequest, Tags } from "../../domain/resources.js";
import { letOthersGoFirst } from "../../domain/turn.js";
import { REPEATED, WORDING } from "../problems/wording.js";
import type { CursorCodec } from "./cursor.js";
import { MOST_TAGS, tagKey, tagValue } from "./fields.js";
import { fillPage, MOST_PAGE_BYTES } from "./page-filling.js";

const TAG_FILTER = "tag:";
export const DEFAULT_LIMIT = 100;
const MOST_ITEMS = 1000;
export const LONGEST_WAIT_SECONDS = 30;

/** A number in a query string, documented as the number that it is. */
function numberText(pattern: RegExp, min: number, max: number, kind: "integer" | "number") {
  const expected = `expected ${kind === "integer" ? "a whole number" : "a number"}`;
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
  return z
    .string()
    .refine((text) => {
      const value = pattern.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max;
    }, `${expected} ${range}`)
    .transform(Number)
    .meta({ type: kind, minimum: min, maximum: max });
}

const DIGITS = /^[0-9]{1,16}$/;

export const limit = numberText(DIGITS, 1, MOST_ITEMS, "integer")
  .optional()
  .describe(
    `Items on a page, ${DEFAULT_LIMIT} unless told; fewer when they are more than ${MOST_PAGE_BYTES / 1024 ** 2} MiB together`,
  );

/** Whatever number cannot be an event's is beyond the newest one. */
export const eventId = z
  .string()
  .regex(/^[0-9]{1,100}$/, "expected a whole number from 0 on")
  .transform((text) => Math.min(Number(text), Number.MAX_SAFE_INTEGER))
  .meta({ type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const wait = numberText(
  /^[0-9]{1,2}(\.[0-9]{1,6})?$/,
  0,
  LONGEST_WAIT_SECONDS,
  "number",
).optional();

export const waitQuery = z.strictObject({
  wait: wait.describe(
    "Seconds for which the answer may be held back until the peering has settled",
  ),
});

/** Of every other call that changes what the switch does. */
export const followedQuery = {
  wait: wait.describe(
    "Seconds for which the answer may be held back until the switch has confirmed the change; `dataPlane` tells whether it has",
  ),
};

/** Of every call that changes something. */
export const dryRunQuery = {
  dryRun: z
    .enum(["true", "false"])
    .optional()
    .describe(
      "With `true` nothing is done: the answer is 200 with what would come of it, or the refusal that the call would get",
    ),
};

const paging = {
  limit,
  cursor: z.string().max(512).optional().describe("nextCursor of the page before"),
};

/** Query parameters of a list. */
export function listQuery<S extends z.ZodRawShape>(filters: S) {
  return z.strictObject({ ...filters, ...paging });
}

/** Query parameters of a list whose items have tags: any `tag:KEY=VALUE` is a filter. */
export function taggedListQuery<S extends z.ZodRawShape>(filters: S) {
  const known = { ...filters, ...paging };
  return z.looseObject(known).superRefine((query, ctx) => {
    const others = Object.entries(query).filter(([parameter]) => !Object.hasOwn(known, parameter));
    for (const { parameter, message } of tagFiltersProblems(others)) {
      ctx.addIssue({ code: "custom", path: [parameter], message });
    }
  });
}

interface ParameterProblem {
  readonly parameter: string;
  readonly message: string;
}

/** Each filter is a condition on every row: more than a resource may have tags find nothing. */
function tagFiltersProblems(parameters: ReadonlyArray<[string, unknown]>): ParameterProblem[] {
  const filters = parameters.filter(([parameter]) => parameter.startsWith(TAG_FILTER));
  const [tooMany] = filters[MOST_TAGS] ?? [];
  if (tooMany !== undefined) {
    return [{ parameter: tooMany, message: `more than ${MOST_TAGS} filters by tags` }];
  }
  return parameters.flatMap(([parameter, value]) =>
    tagFilterProblems(parameter, value).map((message) => ({ parameter, message })),
  );
}

function tagFilterProblems(parameter: string, value: unknown): string[] {
  if (!parameter.startsWith(TAG_FILTER)) return ["unknown parameter"];
  if (Array.isArray(value)) return [REPEATED];
  const key = tagKey.safeParse(parameter.slice(TAG_FILTER.length), WORDING);
  const issues = [key, tagValue.safeParse(value, WORDING)].flatMap(
    (part) => part.error?.issues ?? [],
  );
  return issues.slice(0, 1).map((issue) => issue.message);
}

export const TAG_FILTERS = `Any parameter \`tag:KEY=VALUE\` selects items by a tag, up to ${MOST_TAGS} of them.`;

/** The tags that a query asks for. */
export function tagFilters(query: Readonly<Record<string, unknown>>): Tags {
  const pairs = Object.entries(query)
    .filter(([parameter]) => parameter.startsWith(TAG_FILTER))
    .map(([parameter, value]) => [parameter.slice(TAG_FILTER.length), String(value)]);
  return Object.fromEntries(pairs);
}

/** The schema of a page of `item`. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe("Continues the list; null at its end"),
  });
}

/** The call for a page. */
interface PageCall {
  readonly query: { readonly limit?: number | undefined; readonly cursor?: string | undefined };
  readonly caller: Principal | undefined;
}

/**
 * Reads one page of a list and presents it.
 * @param list what its cursors are bound to
 */
export async function answerPage<T extends { readonly number: number }, B>(
  cursors: CursorCodec,
  list: string,
  { query, caller }: PageCall,
  read: (page: PageRequest) => Promise<Page<T>>,
  present: (item: T) => B,
): Promise<{ items: B[]; nextCursor: string | null }> {
  const { limit: most = DEFAULT_LIMIT, cursor } = query;
  const after = cursor === undefined ? 0 : cursors.open(list, cursor);
  const { items, last, hasMore } = await fillPage(
    { limit: most, after },
    {
      read,
      present,
      positionOf: ({ number }) => number,
      pause: () => letOthersGoFirst(caller ?? {}),
    },
  );
  return { items, nextCursor: hasMore ? cursors.seal(list, last) : null };
}
