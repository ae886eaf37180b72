# Shared by the scripts of this folder; sourced, never run.

# One line a step, on stderr: stdout belongs to whoever calls.
say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }

# Says in one line what is missing, and ends.
die() {
  say "$*"
  exit 1
}

is_root_on_debian() {
  [ "$(id -u)" -eq 0 ] && [ -r /etc/debian_version ] && command -v apt-get >/dev/null
}

# A second apt-get (another script, unattended upgrades) holds dpkg's lock for some minutes at most.
readonly APT_LOCK_TIMEOUT_S=300

apt_install() {
  say "installing $* from Debian packages"
  local log
  log=$(mktemp)
  if ! {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=$APT_LOCK_TIMEOUT_S update &&
      DEBIAN_FRONTEND=noninteractive apt-get -qy -o DPkg::Lock::Timeout=$APT_LOCK_TIMEOUT_S \
        install --no-install-recommends "$@"
  } >"$log" 2>&1 </dev/null; then
    tail -n 5 "$log" >&2
    rm -f "$log"
    die "apt-get could not install: $*"
  fi
  rm -f "$log"
}

engine_answers() { timeout 10 docker info >/dev/null 2>&1; }
