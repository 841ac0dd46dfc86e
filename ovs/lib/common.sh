# shellcheck shell=bash
# What the scripts in this folder share. Source it; it only defines functions and PATH.

# Debian keeps the daemons and ip in sbin, which an ordinary PATH leaves out.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf '%s\n' "$*" >&2; }

die() {
  say "${0##*/}: $*"
  exit 1
}

# need PROGRAM PACKAGE: stops with what to install when a program is missing.
need() {
  command -v "$1" >/dev/null 2>&1 || die "the program '$1' is missing: install $2 (ovs/install.sh does)"
}

need_root() {
  [ "$(id -u)" = 0 ] || die "needs root ($1): run it with sudo, or as root"
}

# tap_holders NAME: the processes of this network namespace that have the tap device open.
tap_holders() {
  local info pid here
  here=$(readlink /proc/self/ns/net)
  for info in $(grep -ls "^iff:[[:space:]]*$1\$" /proc/[0-9]*/fdinfo/* 2>/dev/null); do
    pid=${info#/proc/}
    pid=${pid%%/*}
    [ "$(readlink "/proc/$pid/ns/net" 2>/dev/null)" = "$here" ] && printf '%s\n' "$pid"
  done
  return 0
}

# delete_idle_tap NAME: deletes a tap device that nothing has open (a killed switch leaves its own).
delete_idle_tap() {
  [ -e "/sys/class/net/$1/tun_flags" ] || return 0
  [ -z "$(tap_holders "$1")" ] || return 0
  ip link delete dev "$1" 2>/dev/null || [ ! -e "/sys/class/net/$1" ]
}
