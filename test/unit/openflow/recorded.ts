/** Flow updates as Open vSwitch 3.1.0 sent them, in hexadecimal. */

/** `table=3,priority=100,cookie=0xabc0000000000001,ip,nw_dst=10.0.0.0/8` was added. */
export const ADDED =
  "00300001030000000000006400000000abc0000000000001" +
  "0001001680000a020800800019080a000000ff0000000000";

/** `table=1,priority=5,cookie=0x10` was deleted. */
export const REMOVED = "0020000201020000000000050000000000000000000000100001000400000000";

/** `table=3,priority=100,cookie=0x77,ip,nw_dst=10.0.0.0/8` got other actions. */
export const MODIFIED =
  "003000030300000000000064000000000000000000000077" +
  "0001001680000a020800800019080a000000ff0000000000";

export const PAUSED = "0008000500000000";
export const RESUMED = "0008000600000000";

/** The body of a flow monitor's multipart reply with these updates. */
export function replyOf(...updates: readonly string[]): Buffer {
  return Buffer.from(`0010000000000000${updates.join("")}`, "hex");
}
