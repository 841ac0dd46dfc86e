#!/usr/bin/env bash
# Installs Open vSwitch, iproute2 and ethtool from the distribution where they are missing.
#
#   ovs/install.sh [PACKAGE...]     further packages of the distribution, installed likewise
#
# Needs root and Debian or Ubuntu; elsewhere it says what to install and fails. Installed
# services are not started now: a private switch (ovs/sandbox.sh) needs none.
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd -P)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"

policy=/usr/sbin/policy-rc.d

missing_packages() {
  local package
  command -v ovs-vswitchd >/dev/null && command -v ovsdb-server >/dev/null &&
    command -v ovs-vsctl >/dev/null && command -v ovs-ofctl >/dev/null ||
    echo openvswitch-switch
  command -v ip >/dev/null && command -v tc >/dev/null || echo iproute2
  command -v ethtool >/dev/null || echo ethtool
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      echo "$package"
  done
}

# Keeps the packages' own scripts from starting services, unless a policy exists already.
hold_services() {
  [ ! -e "$policy" ] || return 0
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
}

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=120 \
    -o Dpkg::Options::=--force-confold "$@" >&2
}

main() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null ||
    die "this is not Debian or Ubuntu. Install with your distribution's tool: ${missing[*]}"
  [ "$(id -u)" = 0 ] ||
    die "needs root. Run: sudo apt-get install --no-install-recommends ${missing[*]}"
  say "installing ${missing[*]}"
  hold_services
  apt install --no-install-recommends "${missing[@]}" || {
    say "trying again with fresh package lists"
    apt update || true
    apt install --no-install-recommends "${missing[@]}" || true
  }
  # What counts is that the programs are there, not that a package started a service.
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] || die "could not install: ${missing[*]} (the reason is above)"
}

main "$@"
