const INSTALLATION_ID = /^[0-9a-f]{32}$/;
const PLAIN = /^[\w.-]+$/;

/** Whether it is an id as we make them: what a switch carries, anybody may have written there. */
export function isInstallationId(text: string): boolean {
  return INSTALLATION_ID.test(text);
}

/** A name or an id that somebody else may have made up, for a message. */
export function shown(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}

/** The command that removes an installation from a switch: an odd id is never part of one. */
export function purgeCommand(installationId: string): string {
  return isInstallationId(installationId)
    ? `ovs/purge.sh --installation ${installationId}`
    : `ovs-vsctl del-br for each bridge of ${shown(installationId)}`;
}
