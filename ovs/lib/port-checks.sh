# shellcheck shell=bash
# What must hold for a port's device to be closed to the host. Needs common.sh and port-guard.sh.
# Each check prints what it found; `outcome` is the worst so far: 0 closed, 2 not known, 1 open.

outcome=0

ok() { printf 'ok     %s\n' "$1"; }

# open FINDING REMEDY
open() {
  printf 'OPEN   %s\n       to do: %s\n' "$1" "$2"
  outcome=1
}

# unknown FINDING REMEDY
unknown() {
  printf '?      %s\n       to do: %s\n' "$1" "$2"
  [ "$outcome" = 1 ] || outcome=2
}

# check_device DEVICE DATAPATH
check_device() {
  local close="ovs/close-port.sh $1"
  check_addresses "$1"
  check_ipv6 "$1" "$close"
  check_arp "$1" "$close"
  check_ipv4 "$1" "$close"
  check_uppers "$1"
  if [ "$2" = netdev ]; then check_all_dropped "$1" "$close"; else check_taken "$1" "$close"; fi
}

check_addresses() {
  local found
  found=$(ip -o addr show dev "$1" | awk '{ print $4 }' | paste -sd' ')
  [ -n "$found" ] || {
    ok "$1 carries no address of the host"
    return
  }
  open "$1 carries $found: the host takes part in the workload's network" \
    "ip addr flush dev $1, and stop what configures it (NetworkManager, systemd-networkd, dhcpcd)"
}

check_ipv6() {
  local conf=/proc/sys/net/ipv6/conf/$1/disable_ipv6
  if [ ! -e "$conf" ] || [ "$(cat "$conf")" = 1 ]; then
    ok "$1 takes and sends no IPv6"
  else
    open "IPv6 is on: the host answers on $1, asks for routers and believes their answers" "$2"
  fi
}

check_arp() {
  if (($(cat "/sys/class/net/$1/flags") & 0x80)); then
    ok "ARP is off: the host answers none on $1 and learns nothing by it"
  else
    open "ARP is on: the host tells its addresses on $1 and lets its neighbours be forged" "$2"
  fi
}

check_ipv4() {
  local conf=/proc/sys/net/ipv4/conf
  if [ "$(cat "$conf/$1/rp_filter")" = 0 ] && [ "$(cat "$conf/all/rp_filter")" = 0 ]; then
    open "rp_filter is 0: nothing asks whether the source of a packet belongs behind $1" "$2"
  elif [ "$(cat "$conf/$1/forwarding")" = 1 ]; then
    open "forwarding is on: the host may route what comes in by $1" "$2"
  else
    ok "IPv4 from $1 is neither believed nor routed"
  fi
}

# Another device on top of it (VLAN, macvlan, a Linux bridge) takes frames on its own.
check_uppers() {
  local upper found=""
  for upper in "/sys/class/net/$1"/upper_*; do
    [ -e "$upper" ] || continue
    upper=${upper##*/upper_}
    [ "$upper" = ovs-system ] || found="$found $upper"
  done
  if [ -z "$found" ]; then
    ok "no other device is on top of $1"
  else
    open "$1 also belongs to:$found" "take it out of there (ip link set $1 nomaster, ip link del)"
  fi
}

check_all_dropped() {
  if drops_first "$1" "$drop_everything" || drops_all_plainly "$1"; then
    ok "whatever comes in by $1 is dropped once the switch has had it"
  else
    open "the host's network stack is handed every frame that comes in by $1" "$2 netdev"
  fi
}

# The same said with other words: "matchall action drop" for all protocols.
drops_all_plainly() {
  case $(first_filter "$1") in *"protocol all "*matchall*"gact action drop"*) return 0 ;; esac
  return 1
}

# The kernel datapath takes each frame before the stack: what it takes must not be dropped earlier.
check_taken() {
  case $(ip -d link show dev "$1") in
    *openvswitch_slave*) ok "the kernel datapath takes all frames of $1" ;;
    *) open "the kernel datapath does not take the frames of $1" "plug it in, or set it down meanwhile" ;;
  esac
  if drops_first "$1" "$drop_unroutable"; then
    ok "what nothing else would stop is dropped, should the switch let go of $1"
  else
    open "should the switch let go of $1, broadcasts from 0.0.0.0 (DHCP) reach the host" "$2 system"
  fi
}

# check_bridge_device BRIDGE: a bridge is itself a device of the host. No flow leads to it.
check_bridge_device() {
  local found
  [ -e "/sys/class/net/$1" ] || return 0
  found=$(ip -o addr show dev "$1" | awk '{ print $4 }' | paste -sd' ')
  if [ -n "$found" ]; then
    open "the bridge's own device $1 carries $found" "ip addr flush dev $1; ip link set $1 down"
  elif (($(cat "/sys/class/net/$1/flags") & 0x1)); then
    open "the bridge's own device $1 is up" "ip link set $1 down"
  else
    ok "the bridge's own device $1 is down and carries no address"
  fi
}
