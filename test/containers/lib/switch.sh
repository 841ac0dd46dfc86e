# shellcheck shell=bash disable=SC2154 # work, root, here: run.sh; key: make_tenant
# Open vSwitch with its userspace datapath where the engine runs, at the paths of a system instance.

switch_files() { on_host env OVS_DBDIR="$work/ovs" OVS_LOGDIR="$work/ovs" OVS_SYSCONFDIR="$work/ovs" "$@"; }

start_switch() {
  mkdir -p "$work/ovs"
  on_host mkdir -p /run/openvswitch
  ovsdb-tool create "$work/ovs/conf.db" /usr/share/openvswitch/vswitch.ovsschema
  switch_files ovsdb-server --remote=punix:/run/openvswitch/db.sock --pidfile --detach --no-chdir \
    --log-file "$work/ovs/conf.db" 2>>"$work/ovs/errors.log"
  on_host ovs-vsctl --no-wait init
  start_vswitchd
}

start_vswitchd() {
  switch_files ovs-vswitchd --disable-system --pidfile --detach --no-chdir --log-file 2>>"$work/ovs/errors.log"
}

# end_switch_process NAME
end_switch_process() {
  local pid
  pid=$(on_host cat "/run/openvswitch/$1.pid")
  on_host ovs-appctl -t "$1" exit
  within 20 "$1 has ended" test ! -e "/proc/$pid"
}

stop_switch() {
  local name
  [ -n "$engine_pid" ] || return 0
  for name in ovs-vswitchd ovsdb-server; do
    on_host ovs-appctl -t "$name" exit 2>/dev/null || true
  done
}
