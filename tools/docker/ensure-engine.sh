#!/usr/bin/env bash
# Makes sure that a Docker engine answers, so that compose and testcontainers work.
#
#   tools/docker/ensure-engine.sh          use the running engine; else install and start one
#   tools/docker/ensure-engine.sh --stop   stop the engine that this script started
#
# Where there is no engine and this is root on Debian, it installs docker.io (and docker-compose where no compose is
# there) and starts dockerd in the background, without systemd. Idempotent; one line a step; everything else ends in
# one line that says what is missing.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

readonly LOG_FILE=/var/log/kworkbench-dockerd.log
readonly PID_FILE=/run/kworkbench-dockerd.pid
# A first start creates its networks and its image store: 2 s here, a slow disk may take much longer.
readonly START_TIMEOUT_S=90
# dockerd stops running containers with 10 s of grace before it ends.
readonly STOP_TIMEOUT_S=30

compose_answers() { docker compose version >/dev/null 2>&1 || docker-compose version >/dev/null 2>&1; }

# The line a person needs to know which engine it is; also proves that client and engine agree on an API version.
describe_engine() {
  docker version --format 'engine {{.Server.Version}}, API {{.Server.APIVersion}}, client {{.Client.Version}}'
}

# docker's networks need NAT rules. Where the kernel lacks nf_tables, Debian's iptables needs its legacy back end.
choose_iptables() {
  iptables -t nat -S >/dev/null 2>&1 && return
  if iptables-legacy -t nat -S >/dev/null 2>&1; then
    say "iptables: this kernel has no nf_tables, using iptables-legacy"
    update-alternatives --set iptables /usr/sbin/iptables-legacy >/dev/null
    update-alternatives --set ip6tables /usr/sbin/ip6tables-legacy >/dev/null
    return
  fi
  die "iptables cannot edit the nat table (is this a container without CAP_NET_ADMIN?); give it an engine by DOCKER_HOST"
}

# Process id of the dockerd that the pid file names; nothing when that process is gone or another one has its number.
recorded_dockerd() {
  local pid
  pid=$(cat /var/run/docker.pid 2>/dev/null) || return 0
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] && echo "$pid"
  return 0
}

# A dockerd that is there and does not answer is starting or ending: it does one of the two before long.
wait_for_recorded() {
  local waited=0
  while [ -n "$(recorded_dockerd)" ] && ! engine_answers; do
    [ "$waited" -lt "$START_TIMEOUT_S" ] || die "dockerd (pid $(recorded_dockerd)) does not answer and does not end"
    sleep 1
    waited=$((waited + 1))
  done
}

start_engine() {
  wait_for_recorded
  engine_answers && return
  # The pid file of an engine that was killed keeps the next one from starting.
  rm -f /var/run/docker.pid
  say "starting dockerd (log: $LOG_FILE)"
  # The storage driver is dockerd's choice: overlay2 where the file system carries it, else vfs.
  setsid nohup dockerd >>"$LOG_FILE" 2>&1 </dev/null &
  local pid=$! waited=0
  echo "$pid" >"$PID_FILE"
  until engine_answers; do
    kill -0 "$pid" 2>/dev/null || die "dockerd ended at once: $(grep -E 'failed|level=error' "$LOG_FILE" | tail -n 1)"
    [ "$waited" -lt "$START_TIMEOUT_S" ] || die "dockerd does not answer after ${START_TIMEOUT_S}s; see $LOG_FILE"
    sleep 1
    waited=$((waited + 1))
  done
}

stop_engine() {
  [ -f "$PID_FILE" ] || die "no engine was started by this script"
  local pid waited=0
  pid=$(cat "$PID_FILE")
  rm -f "$PID_FILE"
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || die "the engine is not running any more"
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do
    [ "$waited" -lt "$STOP_TIMEOUT_S" ] || die "dockerd (pid $pid) did not stop within ${STOP_TIMEOUT_S}s"
    sleep 1
    waited=$((waited + 1))
  done
  say "stopped"
}

main() {
  if [ "${1:-}" = --stop ]; then
    stop_engine
    return
  fi
  if command -v docker >/dev/null && engine_answers; then
    compose_answers || { is_root_on_debian && apt_install docker-compose; } ||
      die "the engine answers, but there is no compose: install docker-compose-plugin or docker-compose"
    say "ready ($(describe_engine))"
    return
  fi
  [ -z "${DOCKER_HOST:-}" ] || die "DOCKER_HOST=$DOCKER_HOST does not answer; start that engine or unset the variable"
  is_root_on_debian || die "no Docker engine answers; start one (or run this as root on Debian, then it installs docker.io)"

  local packages=()
  command -v dockerd >/dev/null || packages+=(docker.io)
  compose_answers || packages+=(docker-compose)
  [ ${#packages[@]} -eq 0 ] || apt_install "${packages[@]}"
  # The package may have started it, where there is an init system.
  if ! engine_answers; then
    choose_iptables
    start_engine
  fi
  say "ready ($(describe_engine), storage $(docker info --format '{{.Driver}}'))"
}

main "$@"
