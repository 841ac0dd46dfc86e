import { z } from "zod";
import { RESOURCE_TYPES } from "../../domain/resources.js";

/** What a dry run tells of a change: an event without its number, time and actor. */
const change = z
  .object({
    resourceType: z.enum(RESOURCE_TYPES),
    resourceId: z.string().describe("Of what would be made, one that it would not have"),
    action: z.string(),
    before: z.string().nullable(),
    after: z.string().nullable(),
  })
  .meta({ id: "DryRunChange" });

/** What a call that waits may have to answer, and a dry run never. */
const UNCONFIRMED = 202;

type Schemas = Readonly<Record<string, unknown>>;

/**
 * Adds to the successes of a call that changes something what its dry run answers.
 * @param response JSON schemas by status
 * @param rehearsedBody what a dry run shows of the body when not all of it; a named schema
 */
export function withDryRun(response: Schemas, rehearsedBody?: z.ZodType): Schemas {
  const done = Object.entries(response).filter(([status]) => Number(status) !== UNCONFIRMED);
  const statuses = done.map(([status]) => Number(status));
  const bodies = new Set(done.map(([, schema]) => JSON.stringify(schema)));
  const body =
    rehearsedBody === undefined
      ? oneOf([...bodies].map((text) => JSON.parse(text)))
      : referenceTo(rehearsedBody);
  const dryRun = {
    type: "object",
    description: "Of a dry run",
    properties: {
      dryRun: { type: "boolean", const: true },
      status: { type: "integer", enum: statuses, description: "What the call would answer" },
      body: { ...body, description: "What the call would answer; null when that has no body" },
      changes: {
        type: "array",
        items: referenceTo(change),
        description: "The events that would come of it, as far as the caller may see them",
      },
    },
    required: ["dryRun", "status", "body", "changes"],
    additionalProperties: false,
  };
  const own = response[200];
  return { ...response, 200: own === undefined ? dryRun : { anyOf: [own, dryRun] } };
}

function oneOf(schemas: readonly object[]): object {
  const [first = {}, ...others] = schemas;
  return others.length === 0 ? first : { anyOf: schemas };
}

function referenceTo(schema: z.ZodType): { $ref: string } {
  const id = z.globalRegistry.get(schema)?.id;
  if (id === undefined) throw new TypeError("a schema without a name has no place of its own");
  return { $ref: `#/components/schemas/${id}` };
}
