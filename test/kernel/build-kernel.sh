#!/usr/bin/env bash
# Builds a User-Mode Linux kernel with Open vSwitch's datapath from Debian's own kernel source.
#
#   test/kernel/build-kernel.sh FILE     FILE: where the kernel goes; nothing is there on a failure
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd -P)
[ $# -eq 1 ] || { echo "usage: test/kernel/build-kernel.sh FILE" >&2; exit 2; }
file=$(realpath -m -- "$1")

work=$(mktemp -d "$file.build-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

unpack_source() {
  "$here/kernel-source.sh" download .
  dpkg-deb --fsys-tarfile linux-source-*.deb | tar -x --wildcards '*.tar.xz'
  tar -xf usr/src/linux-source-*.tar.xz
  cd linux-source-*/
}

configure() {
  make ARCH=um x86_64_defconfig
  scripts/kconfig/merge_config.sh -m .config "$here/kernel.config"
  make ARCH=um olddefconfig
  refuse_missing_options
}

# An option that lost its own dependencies is dropped without a word.
refuse_missing_options() {
  local option missing=0
  while read -r option; do
    grep -qxF "$option" .config && continue
    echo "build-kernel.sh: the kernel has not taken $option" >&2
    missing=1
  done < <(grep '=y$' "$here/kernel.config")
  return "$missing"
}

unpack_source
configure
nice make ARCH=um -j"$(nproc)"
strip linux
mv linux "$file"
