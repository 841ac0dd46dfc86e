/** Types of errors (OpenFlow 1.4, section 7.5.4), as far as flows meet them. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [0, "hello failed"],
  [1, "bad request"],
  [2, "bad action"],
  [3, "bad instruction"],
  [4, "bad match"],
  [5, "flow mod failed"],
  [17, "bundle failed"],
  [0xffff, "experimenter"],
]);

/** Whether the two sides have no version of OpenFlow in common: nothing was asked, nothing refused. */
export function isVersionMismatch(body: Buffer): boolean {
  return body.length >= 2 && body.readUInt16BE(0) === 0;
}

/** The body of an error message in words: `OpenFlow error 5 (flow mod failed), code 1`. */
export function describeRefusal(body: Buffer): string {
  if (body.length < 4) return "OpenFlow error that is cut short";
  const type = body.readUInt16BE(0);
  return `OpenFlow error ${type} (${TYPES.get(type) ?? "unknown"}), code ${body.readUInt16BE(2)}`;
}
