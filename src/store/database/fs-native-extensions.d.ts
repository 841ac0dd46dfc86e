/** The part that is used of the package, which ships no types. */
declare module "fs-native-extensions" {
  /**
   * Takes an exclusive lock on the whole open file, held until the file descriptor is closed or
   * the process dies; false when another open file description holds it.
   */
  export function tryLock(fileDescriptor: number): boolean;
}
