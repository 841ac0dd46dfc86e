import { DomainError } from "../domain/errors.js";
import { MAC_PATTERN, macProblem } from "../domain/mac.js";

const NO_MAC = "it is not six octets in hex with colons, such as 02:00:00:00:00:01";

/**
 * The MAC address that `text` spells, in lower case, when an interface may send from it.
 * @throws DomainError `InvalidParameterValue`
 */
export function usableMac(text: string, pointer: string): string {
  const mac = text.toLowerCase();
  const problem = MAC_PATTERN.test(mac) ? macProblem(mac) : NO_MAC;
  if (problem === undefined) return mac;
  throw new DomainError("InvalidParameterValue", `${mac} cannot be used: ${problem}`, { pointer });
}
