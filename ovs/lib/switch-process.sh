# shellcheck shell=bash
# The two daemons of one private Open vSwitch. Needs $dir (its folder) and $run (the same folder
# by the name that sockets are reached by), and common.sh.

# pid_of NAME: the running daemon of this folder, found by its own argument and not by the pid
# file, which a kill -9 leaves behind and whose number another program may have by now.
pid_of() {
  local file pid
  for file in $(grep -lzsFx -e "--pidfile=$dir/$1.pid" /proc/[0-9]*/cmdline 2>/dev/null); do
    pid=${file#/proc/}
    pid=${pid%%/*}
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || continue
    printf '%s\n' "$pid"
    return 0
  done
}

# launch NAME ARG...: starts a daemon that keeps nothing of the caller's (output, lock, descriptors).
launch() {
  local name=$1 log="$dir/$1.log"
  shift
  rm -f "$dir/$name.pid"
  keep_log_small "$log"
  if ! detached timeout 60 "$name" --detach --pidfile="$dir/$name.pid" --log-file="$log" \
    -vconsole:off -vsyslog:off -vfile:info "$@"; then
    tail -n 20 "$log" "$dir/start.log" >&2 || true
    die "$name does not start; the log above is $log"
  fi
}

detached() (
  local fd number
  for fd in /proc/"$BASHPID"/fd/*; do
    number=${fd##*/}
    # Above 250 are bash's own: it gives them close-on-exec itself, except when inherited.
    [ "$number" -le 2 ] || eval "exec $number>&-"
  done
  exec setsid --wait "$@" </dev/null >"$dir/start.log" 2>&1
)

keep_log_small() {
  local size
  size=$(stat -c %s "$1" 2>/dev/null || echo 0)
  [ "$size" -lt 10000000 ] || mv -f "$1" "$1.1"
}

# end_process NAME: asks, then insists, then kills; returns when it is gone. Idempotent.
end_process() {
  local pid
  pid=$(pid_of "$1")
  [ -z "$pid" ] || exits_when_asked "$1" "$pid" || end_by_signal "$1" "$pid"
  rm -f "$dir/$1.pid"
}

# --cleanup takes the tap devices away, which ovs-vswitchd leaves behind on a signal.
exits_when_asked() {
  [ "$1" = ovs-vswitchd ] || return 1
  timeout 5 ovs-appctl -t "$run/$1.$2.ctl" exit --cleanup >/dev/null 2>&1 || return 1
  gone_within 50 "$1"
}

end_by_signal() {
  kill -TERM "$2" 2>/dev/null || true
  gone_within 50 "$1" && return 0
  kill -KILL "$2" 2>/dev/null || true
  gone_within 100 "$1" || die "$1 (process $2) does not end"
}

# gone_within TENTHS NAME
gone_within() {
  local turn
  for ((turn = 0; turn < $1; turn++)); do
    [ -n "$(pid_of "$2")" ] || return 0
    sleep 0.1
  done
  [ -z "$(pid_of "$2")" ]
}

control_socket() { printf '%s/ovs-vswitchd.%s.ctl' "$run" "$(pid_of ovs-vswitchd)"; }

# switch_has TYPE@NAME: whether the running ovs-vswitchd has that datapath.
switch_has() {
  ovs-appctl -t "$(control_socket)" dpctl/dump-dps 2>/dev/null | grep -qx "$1"
}
