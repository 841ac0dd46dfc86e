#!/usr/bin/env bash
# A private Open vSwitch: no system instance touched.
#
#   ovs/sandbox.sh start DIR   starts what is not running of it; prints KEY=VALUE lines for eval
#   ovs/sandbox.sh stop DIR    stops both daemons and removes the network devices they leave
#
# PATCHBAY_SANDBOX_DATAPATH says what a new DIR forwards with: `netdev`, Open vSwitch's userspace
# datapath (default), or `system`, the kernel's, of which a network namespace has only one.
#
# DIR keeps the switch's database, so bridges and ports outlive a stop. Pid files are
# DIR/ovsdb-server.pid and DIR/ovs-vswitchd.pid; logs are beside them.
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd -P)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=lib/switch-process.sh
. "$here/lib/switch-process.sh"
# shellcheck source=lib/datapath-device.sh
. "$here/lib/datapath-device.sh"
# shellcheck source=lib/kernel-datapath.sh
. "$here/lib/kernel-datapath.sh"

usage() {
  say "usage: ovs/sandbox.sh start|stop DIR"
  exit 2
}

# The directory's name as sockets are reached by: a Unix socket's path ends at 107 bytes, and the
# settings printed must survive eval, so an awkward path gets a short alias.
choose_run_dir() {
  local tag
  tag=$(printf '%s' "$dir" | sha256sum | cut -c1-10)
  device="pbdp-$tag"
  run=$dir
  alias=/run/patchbay-ovs-$tag
  case $dir in *[!A-Za-z0-9/._-]*) run=$alias ;; esac
  [ ${#dir} -le 70 ] || run=$alias
}

enter_dir() {
  dir=$(cd -- "$1" && pwd -P)
  choose_run_dir
  unset OVS_PKGDATADIR OVS_BINDIR
  export OVS_RUNDIR=$run OVS_DBDIR=$dir OVS_LOGDIR=$dir OVS_SYSCONFDIR=$dir
  exec 9>"$dir/.lock"
  flock -w 60 9 || die "another start or stop of $dir has been running for a minute"
}

# A folder keeps the datapath that it was made with: its bridges are of that kind.
choose_datapath() {
  local asked=${PATCHBAY_SANDBOX_DATAPATH:-} kept=""
  [ ! -s "$dir/conf.db" ] || kept=$(cat "$dir/datapath" 2>/dev/null || echo netdev)
  datapath=${asked:-${kept:-netdev}}
  wanted=$datapath@ovs-$datapath
  [ -z "$kept" ] || [ "$kept" = "$datapath" ] ||
    die "$dir was made with PATCHBAY_SANDBOX_DATAPATH=$kept and cannot become $datapath:" \
      "take another folder, or stop it and remove this one"
}

check_request() {
  case ${PATCHBAY_SANDBOX_DATAPATH:-} in
    "" | netdev | system) ;;
    *) die "PATCHBAY_SANDBOX_DATAPATH='$PATCHBAY_SANDBOX_DATAPATH' is no datapath: netdev" \
      "(Open vSwitch's userspace one) or system (the kernel's)" ;;
  esac
}

check_machine() {
  need_root "it makes network devices"
  need ovs-vswitchd openvswitch-switch
  need ovsdb-server openvswitch-switch
  need ovs-vsctl openvswitch-switch
  need ip iproute2
  need flock util-linux
}

check_datapath() {
  if [ "$datapath" = system ]; then
    check_kernel_datapath
    return
  fi
  [ -c /dev/net/tun ] || die "/dev/net/tun is missing: load the tun module, or pass the device in"
}

ensure_database() {
  local schema=/usr/share/openvswitch/vswitch.ovsschema
  [ -r "$schema" ] || schema=/usr/local/share/openvswitch/vswitch.ovsschema
  [ -r "$schema" ] || die "vswitch.ovsschema is missing: install openvswitch-switch"
  if [ ! -s "$dir/conf.db" ]; then
    rm -f "$dir/conf.db" "$dir/conf.db.new"
    ovsdb-tool create "$dir/conf.db.new" "$schema" >&2
    mv "$dir/conf.db.new" "$dir/conf.db"
  elif [ "$(ovsdb-tool needs-conversion "$dir/conf.db" "$schema")" = yes ]; then
    ovsdb-tool convert "$dir/conf.db" "$schema" >&2
  fi
}

start_database() {
  [ ! -S "$dir/db.sock" ] || [ -z "$(pid_of ovsdb-server)" ] || return 0
  end_process ovsdb-server
  rm -f "$dir/db.sock"
  ensure_database
  launch ovsdb-server "--remote=punix:$run/db.sock" "$dir/conf.db"
  ovs-vsctl --db="unix:$run/db.sock" --no-wait --timeout=10 -- init \
    -- set Open_vSwitch . "ovs-version=$(ovs-vswitchd --version | sed -n '1s/.* //p')" \
    "external-ids:system-id=patchbay-${device#pbdp-}" >&2
}

start_switch() {
  local pid only=()
  [ "$datapath" = system ] || only=(--disable-system)
  pid=$(pid_of ovs-vswitchd)
  if [ -z "$pid" ] || [ ! -S "$dir/ovs-vswitchd.$pid.ctl" ]; then
    end_process ovs-vswitchd
    rm -f "$dir"/ovs-vswitchd.*.ctl
    with_datapath launch ovs-vswitchd "${only[@]}" "unix:$run/db.sock"
  elif ! switch_has "$wanted"; then
    with_datapath true
  fi
}

with_datapath() {
  if [ "$datapath" = system ]; then with_kernel_datapath "$@"; else with_own_datapath_device "$@"; fi
}

# Prints what the switch really has, whatever was asked for.
datapath_found() {
  local types
  types=$(ovs-vsctl --db="unix:$run/db.sock" --no-wait --timeout=10 get Open_vSwitch . datapath_types)
  if ! switch_has "$wanted" || ! [[ $types =~ (^|[^a-z])"$datapath"($|[^a-z]) ]]; then
    die "the switch has no datapath $wanted (types: $types); see $dir/ovs-vswitchd.log"
  fi
  printf '%s' "$datapath"
}

start() {
  local found
  check_request
  check_machine
  umask 077
  mkdir -p -- "$1"
  enter_dir "$1"
  choose_datapath
  check_datapath
  [ "$run" = "$dir" ] || ln -sfn -- "$dir" "$alias"
  printf '%s\n' "$datapath" >"$dir/datapath"
  start_database
  start_switch
  found=$(datapath_found)
  printf 'PATCHBAY_OVSDB=unix:%s/db.sock\n' "$run"
  printf 'PATCHBAY_OVS_RUNDIR=%s\nPATCHBAY_DATAPATH=%s\n' "$run" "$found"
}

# The names of the devices that the stored bridges and internal ports have.
stored_devices() {
  [ -s "$dir/conf.db" ] || return 0
  ovsdb-tool query "$dir/conf.db" '["Open_vSwitch",
    {"op":"select","table":"Bridge","where":[],"columns":["name"]},
    {"op":"select","table":"Interface","where":[["type","==","internal"]],"columns":["name"]}]' |
    grep -o '"name":"[^"]*"' | cut -d'"' -f4 | sort -u
}

stop() {
  local name kernel=false
  need_root "it stops daemons that run as root"
  if [ -d "$1" ]; then
    enter_dir "$1"
  else
    # The folder may have been removed under daemons that still run.
    dir=$(realpath -m -- "$1")
    choose_run_dir
  fi
  ! had_kernel_datapath || kernel=true
  end_process ovs-vswitchd
  [ "$kernel" = false ] || delete_kernel_datapath
  end_process ovsdb-server
  if command -v ovsdb-tool >/dev/null 2>&1; then
    for name in $(stored_devices || true); do delete_idle_tap "$name"; done
  fi
  delete_idle_tap "$device"
  rm -f "$dir"/*.ctl "$dir"/*.mgmt "$dir"/*.snoop "$dir/db.sock" "$dir"/*.pid
  [ ! -L "$alias" ] || rm -f "$alias"
}

if [ $# -ne 2 ] || [ -z "$2" ]; then usage; fi
case $1 in
  start) start "$2" ;;
  stop) stop "$2" ;;
  *) usage ;;
esac
