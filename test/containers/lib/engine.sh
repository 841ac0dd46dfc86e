# shellcheck shell=bash disable=SC2154 # work, root, here: run.sh; key: make_tenant
# A Docker engine in namespaces of its own, and what is run beside it there.

netns=patchbay-containers
engine_pid=
way_out_pid=

# on_host COMMAND...: where the engine runs, which is what its containers know as the host.
on_host() { nsenter --target "$engine_pid" --mount --net -- "$@"; }

start_engine() {
  ip netns add "$netns"
  ip -n "$netns" link set lo up
  slirp4netns --configure --netns-type=path "/run/netns/$netns" tap0 >"$work/slirp4netns.log" 2>&1 &
  way_out_pid=$!
  launch_engine
}

launch_engine() {
  # shellcheck disable=SC2016 # the inner shell expands them
  nsenter --net="/run/netns/$netns" unshare --mount --propagation private sh -c '
    mount -t tmpfs -o mode=755 tmpfs /run
    exec dockerd --host "$1" --data-root "$2/data" --exec-root "$2/exec" --pidfile "$2/dockerd.pid" \
      --exec-opt native.cgroupdriver=cgroupfs --dns 10.0.2.3' \
    dockerd "$DOCKER_HOST" "$work" >>"$work/dockerd.log" 2>&1 &
  engine_pid=$!
  within 60 "the engine answers" docker version
}

halt_engine() {
  [ -n "$engine_pid" ] || return 0
  kill "$engine_pid" 2>/dev/null || true
  wait "$engine_pid" 2>/dev/null || true
  engine_pid=
}

stop_engine() {
  if [ -n "$engine_pid" ]; then compose down --volumes --timeout 10 >"$work/down.log" 2>&1 || true; fi
  halt_engine
  [ -z "$way_out_pid" ] || kill "$way_out_pid" 2>/dev/null || true
  ip netns delete "$netns" 2>/dev/null || true
}
