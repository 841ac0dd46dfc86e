# shellcheck shell=bash
# Reading the switch's database, at PATCHBAY_OVSDB. Needs common.sh.

vsctl() { ovs-vsctl --db="${PATCHBAY_OVSDB:-unix:/var/run/openvswitch/db.sock}" --timeout=10 "$@"; }

need_database() {
  need ovs-vsctl openvswitch-switch
  vsctl --no-wait get Open_vSwitch . next_cfg >/dev/null ||
    die "no Open vSwitch answers at ${PATCHBAY_OVSDB:-its default socket}: set PATCHBAY_OVSDB"
}

# ports_where KEY VALUE: the ports whose external_ids say so.
ports_where() { vsctl --no-wait --bare --columns=name find Interface "external_ids:$1=$2"; }

# datapath_of BRIDGE: netdev (userspace) or system (kernel).
datapath_of() {
  local type
  type=$(vsctl --no-wait get Bridge "$1" datapath_type) || return 1
  [ "$type" = netdev ] && echo netdev || echo system
}
