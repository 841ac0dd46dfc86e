# shellcheck shell=bash disable=SC2154 # work, root, here: run.sh; key: make_tenant
# `docker-compose up`: no-op mode on PostgreSQL.

run_noop_profile() {
  local vpc
  start_noop
  has_no_privilege
  make_tenant patchbay /data/operator-token
  vpc=$(make_vpc)
  is "a VPC is made" vpc- "${vpc:0:4}"
  comes_back_when_killed "$vpc"
  stops_in_order patchbay
  keeps_its_data "$vpc"
  compose down --volumes >"$work/noop-down.log" 2>&1
}

start_noop() {
  docker-compose up -d >"$work/noop-up.log" 2>&1
  within 120 "no-op mode is ready" is_ready
  within 60 "its container is healthy" is_healthy patchbay
  is "PostgreSQL was healthy no sooner than it could be used" "" \
    "$(compose logs --no-color patchbay | grep -o 'PostgreSQL does not answer yet')"
  is "it is published on the loopback address only" 127.0.0.1:8080 "$(compose port patchbay 8080)"
}

has_no_privilege() {
  is "it runs as the image's user, without any capability" \
    "Uid:1000 CapEff:0000000000000000 CapBnd:0000000000000000 NoNewPrivs:1 " "$(privileges patchbay)"
  is "its root is read-only" refused \
    "$(compose exec -T patchbay sh -c 'touch /app/x 2>/dev/null && echo written || echo refused')"
}

# comes_back_when_killed VPC
comes_back_when_killed() {
  kill -KILL "$(container patchbay '{{.State.Pid}}')"
  within 60 "the engine starts it again when it was killed" was_started_again
  within 120 "it is ready again" is_ready
  is "the VPC is still there" "$1" "$(rest "$key" "vpcs/$1" | jq -r .id)"
}

was_started_again() { [ "$(container patchbay '{{.RestartCount}} {{.State.Running}}')" = "1 true" ]; }

# keeps_its_data VPC
keeps_its_data() {
  compose down >"$work/noop-down.log" 2>&1
  docker-compose up -d >"$work/noop-up.log" 2>&1
  within 120 "new containers on the same volumes are ready" is_ready
  is "and have the VPC" "$1" "$(rest "$key" "vpcs/$1" | jq -r .id)"
}
