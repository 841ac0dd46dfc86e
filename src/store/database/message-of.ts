type Thrown = {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly errno?: unknown;
};

/** What was thrown, in words: PGlite throws objects with no more than a number in them, too. */
export function messageOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { name, message, code, errno }: Thrown = error;
  if (typeof message === "string" && message !== "") return message;
  if (typeof code === "string" && code !== "") return code;
  if (typeof errno === "number") return `${name ?? "error"} ${errno}`;
  return error instanceof Error ? String(error) : JSON.stringify(error);
}
