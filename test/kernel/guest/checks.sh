# shellcheck shell=bash
# What the guest's jobs share: checks that are told as they come, and a job that fails with them.

failed=0

# check TEXT COMMAND...: tells whether the command succeeds.
check() {
  local text=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "ok      $text"
  else
    echo "FAILED  $text"
    printf '%s\n' "$output" | tail -n 20 | sed 's/^/          /'
    failed=1
  fi
}

# soon SECONDS COMMAND...: waits until the command succeeds.
soon() {
  local limit=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$limit" ] || return 1
    sleep 0.2
  done
}

is() { [ "$1" = "$2" ] || { echo "it is '$1' instead of '$2'"; return 1; }; }
not() { ! "$@"; }
