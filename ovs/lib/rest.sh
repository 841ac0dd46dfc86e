# shellcheck shell=bash
# Reading the daemon's REST interface from a shell. Needs common.sh.

# rest_get PATH: prints the JSON answer; stops with the daemon's own words when it refuses.
rest_get() {
  local answer url=${PATCHBAY_URL:-http://127.0.0.1:8080}
  need curl curl
  [ -n "${PATCHBAY_TOKEN:-}" ] || die "PATCHBAY_TOKEN is not set: an access key's token, or the" \
    "operator's (the file operator-token in the daemon's data directory)"
  # The token goes in by stdin: an argument would show in the list of processes.
  answer=$(printf 'header = "Authorization: Bearer %s"\n' "$PATCHBAY_TOKEN" |
    curl --config - --silent --show-error --fail-with-body --max-time 20 "${url%/}$1") || {
    [ -z "$answer" ] || say "$answer"
    die "GET ${url%/}$1 failed: is the daemon running there, and may this token read it?"
  }
  printf '%s' "$answer"
}

# field NAME PATTERN JSON: the text of a field whose whole value matches; tags are not looked at.
field() {
  local value
  value=$(printf '%s' "$3" | tr -d '\n' | sed -E 's/"tags" *: *\{[^}]*\}//' |
    grep -oE "\"$1\" *: *\"$2\"" | head -n 1 | sed -E 's/.*: *"(.*)"$/\1/') || true
  [ -n "$value" ] || die "the daemon's answer has no usable $1: $3"
  printf '%s' "$value"
}

# addresses NAME JSON: the IPv4 addresses of a list, one a line.
addresses() {
  printf '%s' "$2" | tr -d '\n' | sed -nE "s/.*\"$1\" *: *\[([^]]*)\].*/\\1/p" | grep -oE '[0-9.]+' || true
}
