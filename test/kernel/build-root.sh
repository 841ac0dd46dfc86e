#!/usr/bin/env bash
# Builds the guest's root disk from Debian's packages and the Node.js that runs here.
#
#   test/kernel/build-root.sh FILE NODE NPM     NODE: the program; NPM: the folder of its package
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd -P)
[ $# -eq 3 ] || { echo "usage: test/kernel/build-root.sh FILE NODE NPM" >&2; exit 2; }
file=$(realpath -m -- "$1") node=$2 npm=$3

work=$(mktemp -d "$file.build-XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root

packages() { grep -v '^#' "$here/packages.txt" | paste -sd,; }

install_node() {
  local name
  install -D -m 755 "$node" "$root/usr/bin/node"
  mkdir -p "$root/usr/lib/node_modules"
  cp -a "$npm" "$root/usr/lib/node_modules/npm"
  for name in npm npx; do
    ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$root/usr/bin/$name"
  done
}

# Nothing starts by itself but what a job asks for.
quiet_services() {
  chroot "$root" systemctl -q disable \
    openvswitch-switch postgresql ovn-central ovn-host ovn-controller systemd-networkd \
    apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer 2>/dev/null || true
  chroot "$root" systemctl -q mask systemd-networkd-wait-online.service getty@tty1.service
}

describe_guest() {
  echo guest >"$root/etc/hostname"
  echo '127.0.0.1 localhost guest' >"$root/etc/hosts"
  echo '/dev/ubda / ext4 defaults,noatime 0 1' >"$root/etc/fstab"
  mkdir -p "$root/host" "$root/patchbay"
  install -D -m 755 "$here/guest/enter" "$root/usr/local/sbin/patchbay-guest"
  install -D -m 644 "$here/guest/patchbay-job.service" "$root/etc/systemd/system/patchbay-job.service"
  chroot "$root" systemctl -q enable patchbay-job.service
}

nice mmdebstrap --quiet --variant=minbase --include="$(packages)" bookworm "$root"
install_node
quiet_services
describe_guest
truncate -s 6G "$work/disk"
mke2fs -q -t ext4 -O ^has_journal -d "$root" "$work/disk"
mv "$work/disk" "$file"
