import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { RequestInvalid } from "../../../src/api/problems/request-invalid.js";
import { CursorCodec } from "../../../src/api/rest/cursor.js";

const codec = new CursorCodec(randomBytes(32));

test("a cursor opens in the list that it was made for", () => {
  expect(codec.open("vpcs", codec.seal("vpcs", 42))).toBe(42);
});

test("a cursor of another list, of another key, altered or made up is refused", () => {
  const cursor = codec.seal("vpcs", 42);
  const bytes = Buffer.from(cursor, "base64url");
  bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1;
  const unsigned = Buffer.from(JSON.stringify({ list: "vpcs", after: 1 })).toString("base64url");
  const forged = [
    codec.seal("subnets", 42),
    new CursorCodec(randomBytes(32)).seal("vpcs", 42),
    bytes.toString("base64url"),
    unsigned,
    cursor.slice(0, -4),
    `${cursor}=`,
    `${cursor}!!`,
    "",
    "%",
    "42",
  ];
  for (const text of forged) {
    const open = () => codec.open("vpcs", text);
    expect(open, text).toThrow(RequestInvalid);
    expect(open, text).toThrow("/cursor");
  }
});
