#!/usr/bin/env bash
# The Dockerfile and the compose file, built and run by a Docker engine of its own.
#
#   test/containers/run.sh     as root; five to fifteen minutes
#
# Debian's packages: docker.io docker-compose mmdebstrap slirp4netns openvswitch-switch iproute2
# iputils-ping curl jq; and the network, for Debian's and npm's packages.
#
# No registry of images is asked. Images made of Debian's packages and of this machine's Node.js
# stand in for those that the two files name, under their names. The engine has a network and a
# /run of its own, so that neither the machine's Docker nor its Open vSwitch is touched.
set -euo pipefail
here=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd -P)
root=$(cd -- "$here/../.." && pwd -P)
# shellcheck source=../../ovs/lib/common.sh
. "$root/ovs/lib/common.sh"
for part in checks engine images switch noop ovs; do
  # shellcheck source=/dev/null
  . "$here/lib/$part.sh"
done

need_programs() {
  need_root "the engine makes namespaces and mounts"
  need dockerd docker.io
  need docker docker.io
  need docker-compose docker-compose
  need mmdebstrap mmdebstrap
  need slirp4netns slirp4netns
  need ovs-vswitchd openvswitch-switch
  need ip iproute2
  need ping iputils-ping
  need curl curl
  need jq jq
  need node nodejs
  need npm npm
}

clean_up() {
  local status=$?
  trap - EXIT
  stop_switch
  stop_engine
  if [ "$status" = 0 ]; then
    rm -rf --one-file-system -- "$work"
  else
    say "failed; the logs are in $work"
  fi
  exit "$status"
}

need_programs
work=$(mktemp -d "${TMPDIR:-/tmp}/patchbay-containers.XXXXXX")
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

export COMPOSE_PROJECT_NAME=patchbay-containers COMPOSE_FILE=$root/docker-compose.yml
export DOCKER_HOST=unix://$work/docker.sock DOCKER_BUILDKIT=0
unset COMPOSE_PROFILES POSTGRES_PASSWORD
export PATCHBAY_DATAPATH=netdev

start_engine
make_stand_ins
build_image
run_noop_profile
run_ovs_profile
summarise
