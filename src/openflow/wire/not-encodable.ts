/** Something that is not in the vocabulary of this encoder; the switch may well understand it. */
export class NotEncodable extends Error {
  override readonly name = "NotEncodable";

  constructor(what: string) {
    super(`no encoding for ${what}`);
  }
}
