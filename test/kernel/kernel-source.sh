#!/usr/bin/env bash
# The kernel source that Debian has in its backports: the stable release's own kernel is too old for
# User-Mode Linux to be quick (seccomp in place of ptrace came with 6.16, several processors with 6.19).
#
#   test/kernel/kernel-source.sh version        prints PACKAGE=VERSION, as it would be downloaded now
#   test/kernel/kernel-source.sh download DIR   puts the package into DIR
#
# Uses package lists of its own: the machine's sources stay as they are.
set -euo pipefail
SUITE=trixie-backports
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
usage() { echo "usage: test/kernel/kernel-source.sh version|download DIR" >&2; exit 2; }

lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT

make_lists() {
  mkdir -p "$lists/state/lists/partial" "$lists/cache/archives/partial"
  echo "deb [signed-by=$KEYRING] http://deb.debian.org/debian $SUITE main" >"$lists/sources.list"
  touch "$lists/status"
  apt_own apt-get -q update >&2
}

apt_own() {
  local program=$1
  shift
  "$program" -o Dir::Etc::SourceList="$lists/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State="$lists/state" -o Dir::State::status="$lists/status" -o Dir::Cache="$lists/cache" \
    -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}

# The package that Debian's linux-source depends on: linux-source-7.2, and so on.
package() { apt_own apt-cache depends linux-source | sed -n 's/.*Depends: \(linux-source-.*\)/\1/p' | head -n 1; }
version_of() { apt_own apt-cache show --no-all-versions "$1" | sed -n 's/^Version: //p'; }

make_lists
source=$(package)
[ -n "$source" ] || { echo "kernel-source.sh: $SUITE has no package linux-source" >&2; exit 1; }
case ${1:-}:$# in
  version:1) echo "$source=$(version_of "$source")" ;;
  download:2) cd "$2" && apt_own apt-get -q download "$source" >&2 ;;
  *) usage ;;
esac
