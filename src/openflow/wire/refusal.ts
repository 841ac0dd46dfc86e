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

const [HELLO_FAILED, BAD_REQUEST] = [0, 1];
/** OFPBRC_BAD_VERSION: the switch has settled on an older version than that of the request. */
const BAD_VERSION = 0;

/** Whether the two sides do not speak the same version of OpenFlow: nothing was asked, nothing refused. */
export function isVersionMismatch(body: Buffer): boolean {
  if (body.length < 4) return false;
  const type = body.readUInt16BE(0);
  return type === HELLO_FAILED || (type === BAD_REQUEST && body.readUInt16BE(2) === BAD_VERSION);
}

/** The body of an error message in words: `OpenFlow error 5 (flow mod failed), code 1`. */
export function describeRefusal(body: Buffer): string {
  if (body.length < 4) return "OpenFlow error that is cut short";
  const type = body.readUInt16BE(0);
  return `OpenFlow error ${type} (${TYPES.get(type) ?? "unknown"}), code ${body.readUInt16BE(2)}`;
}
