#!/usr/bin/env bash
# Removes everything of one Patchbay installation from a switch: its bridges with their ports.
#
#   ovs/purge.sh [--yes] DATA_DIR            the installation of this data directory
#   ovs/purge.sh [--yes] --installation ID   the same, by its id
#
# Reads PATCHBAY_OVSDB (default: the system's switch). Lists what goes, and asks unless --yes is
# given. Nothing else on the switch is touched. Stop the daemon first: a running one rebuilds all.
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd -P)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"

usage() {
  say "usage: ovs/purge.sh [--yes] DATA_DIR | [--yes] --installation ID"
  exit 2
}

vsctl() { ovs-vsctl --db="${PATCHBAY_OVSDB:-unix:/var/run/openvswitch/db.sock}" --timeout=20 "$@"; }

read_arguments() {
  yes=false
  installation=""
  local data_dir=""
  while [ $# -gt 0 ]; do
    case $1 in
      --yes) yes=true ;;
      --installation)
        [ $# -ge 2 ] || usage
        installation=$2
        shift
        ;;
      -*) usage ;;
      *)
        [ -z "$data_dir" ] || usage
        data_dir=$1
        ;;
    esac
    shift
  done
  if [ -n "$data_dir" ]; then
    [ -z "$installation" ] || usage
    [ -r "$data_dir/installation-id" ] ||
      die "$data_dir/installation-id cannot be read: is that a data directory of Patchbay?"
    installation=$(tr -d '[:space:]' <"$data_dir/installation-id")
  fi
  [[ $installation =~ ^[A-Za-z0-9_-]+$ ]] || usage
}

confirm() {
  local answer
  [ "$yes" = false ] || return 0
  [ -t 0 ] || die "nobody to ask: say --yes to remove them"
  read -r -p "Remove all of it? [y/N] " answer
  [[ $answer =~ ^[Yy] ]] || die "nothing was removed"
}

key=external_ids:patchbay-installation

# names_in TABLE: the rows that are marked as the installation's.
names_in() {
  vsctl --no-wait --bare --columns=name find "$1" "$key=$installation" | sed '/^$/d'
}

# mark_of TABLE ROW: whose the row says that it is; nothing when it does not say.
mark_of() {
  vsctl --no-wait --if-exists get "$1" "$2" "$key" | tr -d '"'
}

# is_ours BRIDGE: where another tool has cleared the bridge's own mark, its port still says whose it
# is, and where that is cleared too, the port's interface. The daemon goes by the same rule.
is_ours() {
  local table mark
  for table in Bridge Port Interface; do
    mark=$(mark_of "$table" "$1")
    [ -z "$mark" ] || break
  done
  [ "$mark" = "$installation" ]
}

bridges_of_installation() {
  local bridge candidates
  candidates=$(for table in Bridge Port Interface; do names_in "$table" || return; done | sort -u) || return
  comm -12 <(printf '%s\n' "$candidates") \
    <(vsctl --no-wait --bare --columns=name list Bridge | sort -u) |
    while read -r bridge; do
      if is_ours "$bridge"; then printf '%s\n' "$bridge"; fi
    done
}

main() {
  local bridges bridge commands=()
  read_arguments "$@"
  need ovs-vsctl openvswitch-switch
  bridges=$(bridges_of_installation) ||
    die "no Open vSwitch answers at ${PATCHBAY_OVSDB:-its default socket}: set PATCHBAY_OVSDB"
  if [ -z "$bridges" ]; then
    echo "Nothing of installation $installation is on this switch."
    return 0
  fi
  for bridge in $bridges; do
    echo "bridge $bridge, ports: $(vsctl --no-wait list-ports "$bridge" | paste -sd' ')"
    commands+=(-- --if-exists del-br "$bridge")
  done
  confirm
  # Nobody holds a switch any more that has nothing of the installation.
  commands+=(-- remove Open_vSwitch . external_ids "patchbay-holder-$installation")
  vsctl "${commands[@]}"
  echo "Removed."
}

main "$@"
