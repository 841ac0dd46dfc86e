import { z } from "zod";

/** A JSON schema, as far as values are made from it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
}

/** What the description says of one operation. */
export interface Operation {
  readonly id: string;
  /** In upper case. */
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly required: boolean; readonly schema: Schema };
  /** Media types by status; none where nothing is answered but the status. */
  readonly answers: ReadonlyMap<number, readonly string[]>;
}

const operation = z.object({
  operationId: z.string(),
  parameters: z.array(z.custom<Parameter>()).default([]),
  requestBody: z
    .object({
      required: z.boolean().default(false),
      content: z.object({ "application/json": z.object({ schema: z.custom<Schema>() }) }),
    })
    .optional(),
  responses: z.record(
    z.string(),
    z.object({ content: z.record(z.string(), z.unknown()).optional() }),
  ),
});

const document = z.object({
  openapi: z.string().startsWith("3.1"),
  paths: z.record(z.string(), z.record(z.string(), operation)),
});

const ENDLESS = "text/event-stream";

/** @returns every operation that answers with an end */
export function operationsOf(description: unknown): Operation[] {
  const { paths } = document.parse(description);
  return Object.entries(paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, found]) => read(method, path, found)),
    )
    .filter(({ answers }) => ![...answers.values()].flat().includes(ENDLESS));
}

function read(method: string, path: string, found: z.infer<typeof operation>): Operation {
  const { operationId: id, parameters, requestBody, responses } = found;
  const answers = Object.entries(responses).map(
    ([status, { content = {} }]) => [Number(status), Object.keys(content)] as const,
  );
  return {
    id,
    method: method.toUpperCase(),
    path,
    parameters,
    answers: new Map(answers),
    ...(requestBody !== undefined && {
      body: {
        required: requestBody.required,
        schema: requestBody.content["application/json"].schema,
      },
    }),
  };
}
