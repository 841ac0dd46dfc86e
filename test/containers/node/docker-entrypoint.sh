#!/bin/sh
# What is no program is for node.
set -e
command -v "$1" >/dev/null || set -- node "$@"
exec "$@"
