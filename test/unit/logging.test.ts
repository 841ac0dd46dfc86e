import { expect, test } from "vitest";
import { createLogger } from "../../src/logging.js";

test("credentials do not reach the log, wherever they hang", () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ level: "info", pretty: false, destination });
  const credential = "AKPB-very-secret";
  log.info({ token: credential, secret: credential }, "top");
  log.info({ req: { headers: { authorization: `Bearer ${credential}` } } }, "headers");
  log.info({ config: { databaseUrl: credential, operatorToken: credential } }, "settings");
  expect(lines).toHaveLength(3);
  expect(lines.join("")).toContain("[redacted]");
  expect(lines.join("")).not.toContain(credential);
});
