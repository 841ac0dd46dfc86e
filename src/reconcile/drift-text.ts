import type { BridgeDrift } from "../backends/backend.js";
import type { SettingDrift } from "../domain/data-plane.js";

/** `port tap0 tag=7`. */
export function settingText({ object, setting, found }: SettingDrift): string {
  return `${object} ${setting}=${found}`;
}

/** What was found on a bridge, for an event. */
export function summaryOf({ deleted, altered, added, settings }: BridgeDrift): string {
  const flows = `${deleted.length} deleted, ${altered.length} altered, ${added.length} added`;
  if (settings.length === 0) return `drifted: ${flows}`;
  const named = settings.slice(0, MOST_NAMED).map((each) => {
    return `${settingText(each)} (wanted ${each.wanted})`;
  });
  const more = settings.length - named.length;
  return ["settings changed:", ...named, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

/** Settings that an event names; of more only the number. */
const MOST_NAMED = 20;
