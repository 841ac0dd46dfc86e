#!/usr/bin/env bash
# Plugs a workload into a VPC: a network namespace that is reached through one network interface.
#
#   ovs/netns.sh attach ENI NETNS   makes the namespace if it is missing, a veth pair with the
#                                   interface's addresses and route, and a port on the VPC's bridge
#   ovs/netns.sh detach ENI         takes all of that away again
#
# The namespace reaches the switch and nothing else: the host's end of the pair is closed before it
# has anybody to hear (docs/plugging-in.md).
#
# Reads PATCHBAY_URL (default http://127.0.0.1:8080), PATCHBAY_TOKEN (any key that may read the
# interface) and PATCHBAY_OVSDB (default: the system's). Needs root.
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd -P)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=lib/rest.sh
. "$here/lib/rest.sh"
# shellcheck source=lib/switch-database.sh
. "$here/lib/switch-database.sh"
# shellcheck source=lib/port-guard.sh
. "$here/lib/port-guard.sh"

usage() {
  say "usage: ovs/netns.sh attach ENI NETNS | detach ENI"
  exit 2
}

check_machine() {
  need_root "it makes network namespaces"
  need ip iproute2
  need_database
}

wait_for_bridge() {
  local turn
  for ((turn = 0; turn < 50; turn++)); do
    ! vsctl --no-wait br-exists "$1" || return 0
    sleep 0.1
  done
  die "the switch has no bridge $1: does the daemon program this switch (GET /readyz)," \
    "and is PATCHBAY_OVSDB the one it uses?"
}

read_interface() {
  local interface subnet vpc
  interface=$(rest_get "/v1/network-interfaces/$eni")
  mac=$(field macAddress '[0-9a-fA-F:]{17}' "$interface")
  address=$(field privateIp '[0-9a-fA-F.:]+' "$interface")
  secondary=$(addresses secondaryPrivateIps "$interface")
  gateway=$(field gateway '[0-9a-fA-F.:]+' "$interface")
  subnet=$(rest_get "/v1/subnets/$(field subnetId 'subnet-[0-9a-f]+' "$interface")")
  address=$address/$(field cidrBlock '[0-9a-fA-F.:]+/[0-9]+' "$subnet" | cut -d/ -f2)
  vpc=$(rest_get "/v1/vpcs/$(field vpcId 'vpc-[0-9a-f]+' "$interface")")
  bridge=$(field bridge '[A-Za-z0-9._-]{1,15}' "$vpc")
}

first_free_device() {
  local number=0
  while ip -n "$netns" link show "eth$number" >/dev/null 2>&1; do number=$((number + 1)); done
  printf 'eth%d' "$number"
}

make_namespace() {
  made=false
  ip netns list | cut -d' ' -f1 | grep -qxF -- "$netns" && return 0
  ip netns add "$netns"
  made=true
  ip -n "$netns" link set lo up
}

# The workload gets its end only when the host's is closed.
make_interface() {
  local device each inner=pw${veth#pv}
  device=$(first_free_device)
  ip link add "$veth" type veth peer name "$inner" address "$mac"
  close_device "$veth" "$datapath"
  ip link set "$inner" netns "$netns" name "$device"
  [ "$datapath" != netdev ] || add_checksums "$device"
  for each in "$address" $secondary; do ip -n "$netns" addr add "$each" dev "$device"; done
  ip -n "$netns" link set "$device" up
  [ -n "$(ip -n "$netns" route show default)" ] ||
    ip -n "$netns" route add default via "$gateway" dev "$device"
}

# A veth leaves checksums to hardware that is not there; the kernel datapath hands that on to who is
# next, the userspace one does not know of it.
add_checksums() {
  need ethtool ethtool
  ethtool -K "$veth" tx off >/dev/null
  ip netns exec "$netns" ethtool -K "$1" tx off >/dev/null
}

# The kernel datapath keeps frames from the host only while the device is a port; with the userspace
# datapath a device that is down would be taken for a dead one meanwhile.
plug_in() {
  [ "$datapath" != netdev ] || ip link set "$veth" up
  add_port
  [ "$datapath" = netdev ] || ip link set "$veth" up
  drops_first "$veth" "$(filter_program "$datapath")" ||
    die "the filter that keeps $veth from the host has gone: does another program change it?"
}

add_port() {
  vsctl add-port "$bridge" "$veth" -- set Interface "$veth" "external_ids:iface-id=$eni" \
    "external_ids:patchbay-netns=$netns" "external_ids:patchbay-netns-made=$made"
}

undo_attach() {
  local code=$?
  trap - EXIT
  [ "$code" -ne 0 ] || exit 0
  vsctl --no-wait --if-exists del-port "$veth" >/dev/null 2>&1 || true
  ip link del "$veth" 2>/dev/null || true
  [ "$made" != true ] || ip netns del "$netns" || true
  say "netns.sh: nothing of this attach is left behind"
  exit "$code"
}

attach() {
  local port
  port=$(ports_where iface-id "$eni")
  [ -z "$port" ] || die "$eni is plugged in already, by port $port: detach it first"
  ip link show "$veth" >/dev/null 2>&1 && die "a device $veth exists already: ovs/netns.sh detach $eni removes it"
  read_interface
  wait_for_bridge "$bridge"
  datapath=$(datapath_of "$bridge")
  made=false
  trap undo_attach EXIT
  trap 'exit 130' INT TERM HUP
  make_namespace
  make_interface
  plug_in
  say "$eni: $address in namespace $netns, port $veth on bridge $bridge"
}

# The namespace goes with the last interface in it, if attach made it.
remove_namespace() {
  local other
  [ "$2" = true ] && [ -n "$1" ] || return 0
  other=$(ports_where patchbay-netns "$1" | head -n 1)
  if [ -n "$other" ]; then
    vsctl --no-wait set Interface "$other" external_ids:patchbay-netns-made=true
  else
    ip netns del "$1" || say "netns.sh: namespace $1 was gone already"
  fi
}

detach() {
  local port netns made
  port=$(ports_where iface-id "$eni" | head -n 1)
  if [ -z "$port" ]; then
    # Its bridge was deleted under it: the switch has forgotten the port, the host still has it.
    ip link del "$veth" 2>/dev/null ||
      die "no port of this switch carries iface-id=$eni: it is not plugged in"
    say "$eni: the switch knew it no more; its device $veth is removed"
    return
  fi
  netns=$(vsctl --no-wait --if-exists get Interface "$port" external_ids:patchbay-netns | tr -d '"')
  made=$(vsctl --no-wait --if-exists get Interface "$port" external_ids:patchbay-netns-made | tr -d '"')
  # Down first: once it is no port, nothing but its filter stands between it and the host.
  ip link set dev "$port" down 2>/dev/null || true
  vsctl --if-exists del-port "$port"
  ip link del "$port" 2>/dev/null || [ ! -e "/sys/class/net/$port" ]
  remove_namespace "$netns" "$made"
  say "$eni: unplugged"
}

[ $# -ge 2 ] || usage
eni=$2
[[ $eni =~ ^eni-[0-9a-f]{17}$ ]] || die "'$eni' is no network interface id (eni- and 17 hex digits)"
veth=pv${eni: -13}
case $1:$# in
  attach:3)
    netns=$3
    [[ $netns =~ ^[A-Za-z0-9_][A-Za-z0-9._-]*$ ]] || die "'$netns' is no name for a namespace"
    check_machine
    attach
    ;;
  detach:2)
    check_machine
    detach
    ;;
  *) usage ;;
esac
