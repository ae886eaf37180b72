#!/bin/sh
# As the official image: bare options start redis-server, and root gives its rights away.
set -e
case "${1:-}" in -* | *.conf) set -- redis-server "$@" ;; esac
# The official image turns protected mode off: inside a container network there is no loopback client.
if [ "$1" = redis-server ]; then
  shift
  set -- redis-server "$@" --protected-mode no
  if [ "$(id -u)" = 0 ]; then
    chown redis:redis /data
    exec setpriv --reuid=redis --regid=redis --init-groups "$@"
  fi
fi
exec "$@"
