import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Operation } from "./document.js";
import type { Answer } from "./transport.js";

const DESCRIPTION = "https://patchbay.invalid/openapi.json";

/** Judges answers by what the description declares. */
export class Contract {
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(description: object) {
    this.#ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ ...description, $id: DESCRIPTION });
  }

  /** @returns what is wrong with an answer, undefined when it is as declared */
  fault(operation: Operation, { status, contentType, text }: Answer): string | undefined {
    if (status >= 500) return `${status}: ${text.slice(0, 500)}`;
    const declared = operation.answers.get(status);
    if (declared === undefined) return `${status} is not declared: ${text.slice(0, 500)}`;
    const mediaType = contentType.split(";")[0]?.trim() ?? "";
    if (declared.length === 0) return text === "" ? undefined : `${status} has a body: ${text}`;
    if (!declared.includes(mediaType)) return `${status} is of type "${contentType}"`;
    return mediaType.endsWith("json")
      ? this.#faultOfBody(operation, status, mediaType, text)
      : undefined;
  }

  #faultOfBody(operation: Operation, status: number, mediaType: string, text: string) {
    const validate = this.#validator(operation, status, mediaType);
    if (validate(JSON.parse(text))) return undefined;
    return `${status} is not as declared: ${this.#ajv.errorsText(validate.errors)}; ${text.slice(0, 500)}`;
  }

  #validator({ method, path }: Operation, status: number, mediaType: string): ValidateFunction {
    const place = [
      "paths",
      path,
      method.toLowerCase(),
      "responses",
      String(status),
      "content",
      mediaType,
    ];
    const pointer = [...place, "schema"].map(escaped).join("/");
    const found = this.#validators.get(pointer);
    const validate = found ?? this.#ajv.compile({ $ref: `${DESCRIPTION}#/${pointer}` });
    this.#validators.set(pointer, validate);
    return validate;
  }
}

const escaped = (part: string) =>
  encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
