# shellcheck shell=bash
# Open vSwitch names the first device of every userspace datapath "ovs-netdev", so a second
# instance in the same network namespace cannot make its own and refuses every bridge. The device
# carries no traffic and may be renamed at once: each sandbox gives its own a name of its own.
# Needs $device (that name), common.sh and switch-process.sh.

shared_name=ovs-netdev

# with_own_datapath_device COMMAND...: runs a command that starts the switch, makes the datapath
# if it did not, and renames its device; one sandbox of the machine at a time.
with_own_datapath_device() {
  mkdir -p /run/lock
  exec 8>/run/lock/patchbay-ovs-netdev.lock
  flock -w 60 8 || die "another private Open vSwitch has been starting for a minute"
  delete_idle_tap "$device"
  moved=""
  trap give_name_back EXIT
  step_aside
  "$@"
  create_datapath
  give_name_back
  exec 8>&-
}

give_name_back() {
  [ -z "$moved" ] || ip link set dev "$moved" name "$shared_name"
  moved=""
}

# Somebody else's device of that name is renamed for the moment of our start, and gets it back.
step_aside() {
  [ -e "/sys/class/net/$shared_name" ] || return 0
  delete_idle_tap "$shared_name"
  [ -e "/sys/class/net/$shared_name" ] || return 0
  refuse_beside_system_instance
  moved=pbdp-$$
  ip link set dev "$shared_name" name "$moved" && return 0
  moved=""
  die "the device $shared_name of another Open vSwitch is in the way (process $(tap_holders "$shared_name" | head -n 1))"
}

refuse_beside_system_instance() {
  local file=/var/run/openvswitch/ovs-vswitchd.pid
  if [ -r "$file" ] && tap_holders "$shared_name" | grep -qx "$(cat "$file")"; then
    die "the system's Open vSwitch already runs a userspace datapath: use it with" \
      "PATCHBAY_OVSDB=unix:/var/run/openvswitch/db.sock PATCHBAY_DATAPATH=netdev"
  fi
}

create_datapath() {
  local socket
  socket=$(control_socket)
  if ! switch_has "netdev@$shared_name" &&
    ! ovs-appctl -t "$socket" dpctl/add-dp "netdev@$shared_name" >&2; then
    switch_has "netdev@$shared_name" || die "cannot make the userspace datapath; see $dir/ovs-vswitchd.log"
  fi
  [ ! -e "/sys/class/net/$shared_name" ] || ip link set dev "$shared_name" name "$device"
}
