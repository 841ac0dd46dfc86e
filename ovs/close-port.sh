#!/usr/bin/env bash
# Closes the device of a port to the host: what is plugged in by it reaches the switch and nothing
# else (docs/plugging-in.md). ovs/netns.sh does the same; this is for workloads plugged in otherwise.
#
#   ovs/close-port.sh DEVICE [netdev|system]     the datapath (default: that of the bridge which the
#                                                device is a port of)
#
# Best before the device is up and the workload has the other end. May be run again. Reads
# PATCHBAY_OVSDB (default: the system's switch). Needs root and iproute2.
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd -P)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=lib/switch-database.sh
. "$here/lib/switch-database.sh"
# shellcheck source=lib/port-guard.sh
. "$here/lib/port-guard.sh"

usage() {
  say "usage: ovs/close-port.sh DEVICE [netdev|system]"
  exit 2
}

datapath_of_port() {
  local bridge
  need ovs-vsctl openvswitch-switch
  bridge=$(vsctl --no-wait iface-to-br "$1" 2>/dev/null) ||
    die "device $1 is no port of the switch yet: say which datapath it is for, netdev or system"
  datapath_of "$bridge"
}

[ $# -eq 1 ] || [ $# -eq 2 ] || usage
device=$1
[ -n "$device" ] || usage
case ${2:-} in "" | netdev | system) ;; *) usage ;; esac
need_root "it changes a network device"
need ip iproute2
[ -e "/sys/class/net/$device" ] || die "there is no device $device in this network namespace"
datapath=${2:-$(datapath_of_port "$device")}
# The host's own address on it would stay, and so would whatever answers there.
[ -z "$(ip -o addr show dev "$device" scope global)" ] ||
  die "device $device carries an address of this host: is it the right one? If so: ip addr flush dev $device"
close_device "$device" "$datapath"
