/** A setting of the switch that is not as it is wanted. */
export interface SettingDrift {
  /** What it belongs to, as an operator would call it: "conntrack zone 7 (eni-…, called)". */
  readonly object: string;
  readonly setting: string;
  /** Null when it is not set. */
  readonly found: string | null;
  /** Null when nothing certain is wanted: then it is told of, and not put right. */
  readonly wanted: string | null;
}
