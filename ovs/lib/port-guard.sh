# shellcheck shell=bash
# Closes the host's end of a workload's link. Needs common.sh.
#
# With the userspace datapath Open vSwitch only listens in on a device: the host's own network stack
# is handed every frame as well. The kernel datapath takes frames away from the stack, but only
# while the device is a port: not before it is added and not after it is removed.

# Programs for tc's classifier bpf, in its "direct action" mode: 2 drops, -1 says nothing.
drop_everything='1,6 0 0 2'
# Tagged? Neither ARP (2054) nor IPv4 (2048)? From 0.0.0.0/8, which no reverse path is asked for?
# Then drop: no workload needs these, and nothing else would keep them from the host's services.
drop_unroutable='9,48 0 0 4294963248,21 0 6 0,40 0 0 12,21 3 0 2054,21 0 3 2048,48 0 0 26,21 1 0 0,6 0 0 4294967295,6 0 0 2'

filter_program() { if [ "$1" = netdev ]; then echo "$drop_everything"; else echo "$drop_unroutable"; fi; }

# close_device DEVICE netdev|system: the host's stack neither takes anything that comes in by the
# device nor sends anything out by it. Idempotent; stops with the reason where it cannot be done.
close_device() {
  need tc iproute2
  filter_device "$1" "$2"
  silence_device "$1"
}

filter_device() {
  local program
  program=$(filter_program "$2")
  # Not a qdisc "ingress": ovs-vswitchd removes it from every device that becomes a port.
  tc qdisc add dev "$1" clsact 2>/dev/null || has_clsact "$1" ||
    cannot_close "$1" "it takes no qdisc clsact: is another one, 'ingress', there, or does the kernel lack sch_ingress?"
  tc filter replace dev "$1" ingress protocol all pref 1 handle 1 bpf da bytecode "$program" ||
    cannot_close "$1" "it takes no filter: does the kernel lack cls_bpf, or is another filter there with pref 1?"
}

has_clsact() { [ -n "$(tc qdisc show dev "$1" 2>/dev/null | grep '^qdisc clsact ')" ]; }

# IPv4 needs a source that is routed to where it came from, and no route leads to this device. On
# the userspace datapath all this comes too late to matter: it is the second line.
silence_device() {
  local ipv4=/proc/sys/net/ipv4/conf/$1 ipv6=/proc/sys/net/ipv6/conf/$1 off=(arp off multicast off)
  [ ! -d "$ipv6" ] || off+=(addrgenmode none)
  ip link set dev "$1" "${off[@]}" || cannot_close "$1" "ARP or IPv6 cannot be turned off"
  [ ! -d "$ipv6" ] || set_conf "$1" "$ipv6/disable_ipv6" 1
  [ "$(<"$ipv4/rp_filter")" = 2 ] || set_conf "$1" "$ipv4/rp_filter" 1
  set_conf "$1" "$ipv4/forwarding" 0
}

# set_conf DEVICE FILE VALUE: writes only what differs: in a container /proc/sys may be read-only.
set_conf() {
  [ "$(<"$2")" = "$3" ] || printf '%s\n' "$3" 2>/dev/null >"$2" ||
    cannot_close "$1" "$2 cannot be set to $3"
}

cannot_close() { die "cannot close device $1 to the host: $2"; }

# drops_first DEVICE PROGRAM: whether the first filter of what comes in is this program.
drops_first() {
  case $(first_filter "$1") in *" direct-action "*"bytecode '$2'"*) return 0 ;; esac
  return 1
}

# first_filter DEVICE: the first filter of all that comes in, in one line.
first_filter() {
  tc filter show dev "$1" ingress 2>/dev/null |
    awk '/^filter/ && / handle / { if (seen) exit; seen = 1 } seen { printf "%s ", $0 }'
}
