# shellcheck shell=bash disable=SC2154 # work, root, here: run.sh; key: make_tenant
# What the scenarios assert with, and how they wait.

passed=0

# is WHAT EXPECTED ACTUAL
is() {
  if [ "$2" != "$3" ]; then
    say "not ok: $1: expected '$2', got '$3'"
    compose logs --no-color --tail=40 >&2 || true
    exit 1
  fi
  passed=$((passed + 1))
  say "ok: $1"
}

# within SECONDS WHAT COMMAND...: asserts that the command succeeds before the time is over.
within() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || is "$what" "in time" "too late"
    sleep 0.2
  done
  is "$what" yes yes
}

summarise() { printf '%s passed, 0 failed\n' "$passed"; }

compose() { docker-compose --profile ovs "$@"; }

# container SERVICE FORMAT: what the engine knows about a service's container.
container() { docker inspect -f "$2" "${COMPOSE_PROJECT_NAME}_$1_1"; }

is_healthy() { [ "$(container "$1" '{{.State.Health.Status}}')" = healthy ]; }

is_ready() { on_host curl -fsS http://127.0.0.1:8080/readyz; }

# rest TOKEN PATH [CURL-OPTION...]
rest() {
  local token=$1 path=$2
  shift 2
  on_host curl -fsS -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
    "$@" "http://127.0.0.1:8080/v1/$path"
}

# make_tenant SERVICE TOKEN-FILE: sets $key to an administrator's key of a new tenant.
make_tenant() {
  local operator tenant
  operator=$(compose exec -T "$1" cat "$2")
  tenant=$(rest "$operator" tenants -d '{"name":"containers"}' | jq -r .id)
  key=$(rest "$operator" "tenants/$tenant/access-keys" -d '{"roles":["admin"]}' | jq -r .token)
}

make_vpc() { rest "$key" 'vpcs?wait=30' -d '{"name":"a","cidrBlock":"10.0.0.0/16"}' | jq -r .id; }

# privileges SERVICE: user, effective and bounding capabilities, no_new_privs of the daemon.
# shellcheck disable=SC2016 # the fields are awk's
privileges() {
  compose exec -T "$1" awk \
    '$1 == "Uid:" || $1 == "CapEff:" || $1 == "CapBnd:" || $1 == "NoNewPrivs:" { printf "%s%s ", $1, $2 }' \
    /proc/1/status
}

stops_in_order() {
  compose stop -t 60 >/dev/null 2>&1
  is "$1 ends with 0 on SIGTERM" 0 "$(container "$1" '{{.State.ExitCode}}')"
  is "$1 says that it stopped" 1 "$(compose logs --no-color --tail=1 "$1" | grep -c '"msg":"stopped"')"
}
