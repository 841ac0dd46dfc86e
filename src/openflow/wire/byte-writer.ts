import { NotEncodable } from "./not-encodable.js";

const FIRST_CAPACITY = 1024;
const LONGEST = 0xffff;

/** Bytes in network order, one after another; lengths that are known only later are filled in. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All that was written; what is written later goes elsewhere. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.allocUnsafe(FIRST_CAPACITY);
    this.#length = 0;
    return taken;
  }

  uint8(value: number): void {
    const at = this.#grow(1);
    this.#buffer.writeUInt8(value, at);
  }

  uint16(value: number): void {
    const at = this.#grow(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  uint32(value: number): void {
    const at = this.#grow(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  uint64(value: bigint): void {
    const at = this.#grow(8);
    this.#buffer.writeBigUInt64BE(value, at);
  }

  bytes(values: ArrayLike<number>): void {
    const at = this.#grow(values.length);
    this.#buffer.set(values, at);
  }

  zeros(count: number): void {
    const at = this.#grow(count);
    this.#buffer.fill(0, at, at + count);
  }

  /** Zeros up to the next multiple of 8 bytes, counted from `start`. */
  padFrom(start: number): void {
    this.zeros((8 - ((this.#length - start) % 8)) % 8);
  }

  /**
   * Counts the bytes from `start` on and says so in 16 bits at `at`.
   * @throws NotEncodable when there are more than can be said
   */
  fillInLength(at: number, start: number): void {
    const length = this.#length - start;
    if (length > LONGEST) throw new NotEncodable(`${length} bytes in one message`);
    this.#buffer.writeUInt16BE(length, at);
  }

  /** May move the buffer. @returns where the room begins */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(2 * this.#length);
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return at;
  }
}
