#!/bin/sh
# As far as kworkbench uses the official image: POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB and PGDATA on the first
# start, root gives its rights away, further arguments go to the server.
set -eu
case "${1:-}" in -*) set -- postgres "$@" ;; esac

if [ "$1" = postgres ]; then
  if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown postgres:postgres "$PGDATA" /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
  fi
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=${POSTGRES_USER:-postgres}
    db=${POSTGRES_DB:-$user}
    : "${POSTGRES_PASSWORD:?must be set for the first start}"
    secret=$(mktemp)
    printf '%s\n' "$POSTGRES_PASSWORD" >"$secret"
    initdb -D "$PGDATA" --username="$user" --pwfile="$secret" --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8
    rm -f "$secret"
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    # Single-user mode: no server is up before the database is there, so a health check cannot say yes too early.
    if [ "$db" != postgres ]; then echo "CREATE DATABASE \"$db\"" | postgres --single -j -D "$PGDATA" postgres >/dev/null; fi
  fi
  shift
  set -- postgres -c listen_addresses='*' "$@"
fi
exec "$@"
