#!/bin/sh
# Installs redis-server where that can be done without asking: root on a Debian machine. The package would start a
# system service on port 6379; a policy file, the way Debian means it, forbids that while the package is installed.
# Exits 0 when redis-server is on PATH in the end; says why not on stderr otherwise.
set -u

command -v redis-server >/dev/null 2>&1 && exit 0
[ "$(id -u)" = 0 ] || {
  echo 'not root' >&2
  exit 1
}
command -v apt-get >/dev/null 2>&1 || {
  echo 'no apt-get here' >&2
  exit 1
}

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT INT TERM
fi

export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends redis-server </dev/null >/dev/null 2>&1 || {
  apt-get update -q </dev/null >/dev/null 2>&1
  apt-get install -y --no-install-recommends redis-server </dev/null >&2
}
command -v redis-server >/dev/null 2>&1
