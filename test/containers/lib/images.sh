# shellcheck shell=bash disable=SC2154 # work, root, here: run.sh; key: make_tenant
# Images that stand in for those of the Dockerfile and the compose file.

# image_named REPOSITORY FILE: the name with tag and digest that the file gives to it.
image_named() { grep -oE "\b$1:[^ ]+@sha256:[0-9a-f]{64}" "$root/$2" | head -n1; }

make_stand_ins() {
  local node_name postgres_name
  node_name=$(image_named node Dockerfile)
  postgres_name=$(image_named postgres docker-compose.yml)
  mmdebstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$work/debian.tar" \
    >"$work/mmdebstrap.log" 2>&1
  docker import "$work/debian.tar" patchbay-stand-in:debian >"$work/import.log"
  make_node "${node_name%@*}"
  docker build -t "${postgres_name%@*}" "$here/postgres" >"$work/postgres.log" 2>&1
  halt_engine
  give_digest "$node_name"
  give_digest "$postgres_name"
  launch_engine
}

make_node() {
  mkdir "$work/node"
  cp "$here/node/Dockerfile" "$here/node/docker-entrypoint.sh" "$work/node/"
  cp "$(node -p process.execPath)" "$work/node/node"
  cp -R "$(npm root -g)/npm" "$work/node/npm"
  # This machine's authorities, among them those that its network may need.
  cp /etc/ssl/certs/ca-certificates.crt "$work/node/"
  docker build -t "$1" "$work/node" >"$work/node.log" 2>&1
}

# give_digest NAME:TAG@DIGEST: the engine finds NAME:TAG by the digest too, as if it had been pulled.
give_digest() {
  local names=$work/data/image/overlay2/repositories.json name=${1%%:*} tag=${1%@*}
  jq --arg name "$name" --arg tag "$tag" --arg pinned "$name@${1#*@}" \
    '.Repositories[$name][$pinned] = .Repositories[$name][$tag]' "$names" >"$names.new"
  mv "$names.new" "$names"
}

build_image() {
  if ! compose build --force-rm patchbay >"$work/build.log" 2>&1; then
    tail -n 40 "$work/build.log" >&2
    is "the image is built by the Dockerfile's steps" built failed
  fi
  is "the image is built by the Dockerfile's steps" 1 "$(grep -c '^Successfully tagged' "$work/build.log")"
}
