export interface BackendLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}
