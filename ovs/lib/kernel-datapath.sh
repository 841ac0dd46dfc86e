# shellcheck shell=bash
# The kernel has one datapath for Open vSwitch in a network namespace, "ovs-system". An ovs-vswitchd
# that starts takes over what is there and deletes each port that it does not know, so only one may
# use it. It outlives an ovs-vswitchd that is killed, and forwards on: the folder tells whose it is.
# The device is made anew with the first bridge after the last one went, so its index tells nothing.
# Needs $dir (the switch's folder), $run, common.sh and switch-process.sh.

kernel_datapath=system@ovs-system
# An ovs-vswitchd 3.1 that starts earlier than 10 s after the machine did takes no packets from the
# kernel, ever: docs/datapaths.md.
earliest_uptime=11

# check_kernel_datapath: stops with the reason where this switch cannot use the kernel's datapath.
check_kernel_datapath() {
  local listed pid
  need ovs-dpctl openvswitch-switch
  listed=$(ovs-dpctl dump-dps 2>&1) ||
    die "the kernel has no openvswitch datapath: ${listed##*|}. Load its module (modprobe" \
      "openvswitch), or take the userspace one (PATCHBAY_SANDBOX_DATAPATH=netdev)"
  pid=$(other_kernel_switch)
  [ -z "$pid" ] ||
    die "another ovs-vswitchd (process $pid) has the kernel's datapath of this network namespace," \
      "which has only one. $(other_namespace)"
  [ -z "$listed" ] || kernel_datapath_is_ours ||
    die "the kernel's datapath of this network namespace is there (${listed//$'\n'/, }) and not of" \
      "$dir: ports that others left in it would go. If nobody needs them: ovs-dpctl del-dp" \
      "${listed%%$'\n'*}. $(other_namespace)"
}

other_namespace() { echo "Or start in a namespace of its own: ip netns exec NAME ovs/sandbox.sh start $dir"; }

# An ovs-vswitchd of this network namespace that is not of this folder and may use the kernel.
other_kernel_switch() {
  local file pid own
  own=$(pid_of ovs-vswitchd)
  for file in $(grep -lsx ovs-vswitchd /proc/[0-9]*/comm); do
    pid=${file#/proc/}
    pid=${pid%%/*}
    if [ "$pid" != "$own" ] && uses_kernel_here "$pid"; then
      printf '%s\n' "$pid"
      return 0
    fi
  done
}

# uses_kernel_here PID: one that is only asked for its version serves nobody.
uses_kernel_here() {
  [ "$(readlink "/proc/$1/ns/net" 2>/dev/null)" = "$(readlink /proc/self/ns/net)" ] &&
    ! grep -qzsxF -e --disable-system -e --version "/proc/$1/cmdline"
}

# This boot and this network namespace.
kernel_datapath_place() {
  printf '%s %s\n' "$(</proc/sys/kernel/random/boot_id)" "$(readlink /proc/self/ns/net)"
}

kernel_datapath_is_ours() {
  [ "$(cat "$dir/kernel-datapath" 2>/dev/null)" = "$(kernel_datapath_place)" ]
}

# with_kernel_datapath COMMAND...: runs a command that starts the switch, and makes the datapath if
# it did not; one switch of the machine at a time.
with_kernel_datapath() {
  mkdir -p /run/lock
  exec 8>/run/lock/patchbay-ovs-system.lock
  flock -w 60 8 || die "another private Open vSwitch has been starting for a minute"
  check_kernel_datapath
  kernel_datapath_place >"$dir/kernel-datapath"
  until_uptime "$earliest_uptime"
  "$@"
  switch_has "$kernel_datapath" ||
    ovs-appctl -t "$(control_socket)" dpctl/add-dp "$kernel_datapath" >&2 ||
    switch_has "$kernel_datapath" || die "cannot make the kernel's datapath; see $dir/ovs-vswitchd.log"
  exec 8>&-
}

until_uptime() {
  local uptime
  while read -r uptime </proc/uptime && [ "${uptime%%.*}" -lt "$1" ]; do sleep 0.2; done
}

# had_kernel_datapath: whether what is there is of this switch, be it running or killed.
had_kernel_datapath() {
  local pid
  pid=$(pid_of ovs-vswitchd)
  kernel_datapath_is_ours || { [ -n "$pid" ] && uses_kernel_here "$pid"; }
}

# Where another ovs-vswitchd has taken it over, it is no longer ours to delete.
delete_kernel_datapath() {
  if [ -z "$(other_kernel_switch)" ] && ovs-dpctl dump-dps 2>/dev/null | grep -qx "$kernel_datapath"; then
    ovs-dpctl del-dp "$kernel_datapath"
  fi
  rm -f "$dir/kernel-datapath"
}
