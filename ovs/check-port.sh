#!/usr/bin/env bash
# Looks whether a workload that is plugged in can reach the host itself by the device of its port.
#
#   ovs/check-port.sh ENI|PORT     a network interface (eni-…), or the name of a port
#
# Prints a line for each thing that must hold, and what to do where it does not. It only reads.
# Exit code: 0 closed, 1 open in some way, 2 it could not be found out. Reads PATCHBAY_OVSDB
# (default: the system's switch). Needs root, iproute2 and ovs-vsctl; run it on the switch's host.
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd -P)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=lib/switch-database.sh
. "$here/lib/switch-database.sh"
# shellcheck source=lib/port-guard.sh
. "$here/lib/port-guard.sh"
# shellcheck source=lib/port-checks.sh
. "$here/lib/port-checks.sh"

# Nothing found out is not the same as open: see the exit codes.
die() {
  say "${0##*/}: $*"
  exit 2
}

find_ports() {
  if [[ $1 =~ ^eni- ]]; then
    ports_where iface-id "$1"
  else
    vsctl --no-wait --bare --columns=name find Interface "name=\"$1\""
  fi
}

check_port() {
  local bridge datapath type
  bridge=$(vsctl --no-wait iface-to-br "$1") || die "port $1 is on no bridge"
  datapath=$(datapath_of "$bridge")
  type=$(vsctl --no-wait get Interface "$1" type | tr -d '"')
  echo "port $1 on bridge $bridge, datapath $datapath"
  case $type in
    "" | system) check_plain "$1" "$datapath" ;;
    internal | tap) check_internal "$1" ;;
    dpdk*) ok "$1 is no device of the host's network stack (type $type)" ;;
    *) unknown "a port of type $type is nothing that a workload is plugged in by" "look at it by hand" ;;
  esac
  check_bridge_device "$bridge"
}

check_plain() {
  local error
  if [ -e "/sys/class/net/$1" ]; then
    check_device "$1" "$2"
    return
  fi
  error=$(vsctl --no-wait get Interface "$1" error)
  unknown "there is no device $1 in this network namespace (the switch says: $error)" \
    "make it, closed from the start: docs/plugging-in.md"
}

# Its other end is the switch itself: once the device is with the workload the host has nothing of it.
check_internal() {
  if [ ! -e "/sys/class/net/$1" ]; then
    ok "$1 is not in the host's network namespace, so it is the workload's own"
  elif (($(cat "/sys/class/net/$1/flags") & 0x1)); then
    open "$1 is up in the host's own network namespace: the host itself is plugged in" \
      "ip link set $1 netns NAMESPACE"
  else
    ok "$1 is still with the host, but down"
  fi
}

# A program that fails unexpectedly has found out nothing either.
set -o errtrace
trap 'die "line $LINENO failed: nothing is known"' ERR

if [ $# -ne 1 ] || [ -z "$1" ]; then
  say "usage: ovs/check-port.sh ENI|PORT"
  exit 2
fi
need_root "it reads the filters of network devices"
need ip iproute2
need tc iproute2
need_database
ports=$(find_ports "$1")
[ -n "$ports" ] || die "the switch has no port $1 (and none with external_ids:iface-id=$1)"
for port in $ports; do check_port "$port"; done
[ "$(wc -w <<<"$ports")" = 1 ] ||
  open "several ports carry $1" "remove external_ids:iface-id from all but one"
exit "$outcome"
