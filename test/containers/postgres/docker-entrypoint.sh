#!/bin/bash
# The first start sets the database up with a server that listens on its socket only, and is
# stopped again before the one that is for others starts.
set -euo pipefail

become_postgres() {
  mkdir -p "$PGDATA" /var/run/postgresql
  chmod 0700 "$PGDATA"
  chown -R postgres "$PGDATA" /var/run/postgresql
  exec gosu postgres "$0" "$@"
}

set_up() {
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD")
  printf '%s\n' "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
  printf '%s\n' 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
  createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
  # Long enough for health checks to meet this server.
  sleep 8
  pg_ctl -D "$PGDATA" -m fast -w stop
}

[ "$(id -u)" != 0 ] || become_postgres "$@"
[ -s "$PGDATA/PG_VERSION" ] || set_up
exec "$@"
