#!/usr/bin/env bash
# Makes sure that the images which Dockerfile and docker-compose.yml start from are there.
#
# Where an image registry answers, these are the official images. Where none does, they are made once: Debian by
# debootstrap, Node.js from the npm package that this repository carries, Redis and PostgreSQL from Debian packages,
# tagged with the official names. An image that is there is never made again; `docker rmi` it to start over.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

readonly NODE_IMAGE=node:24-bookworm-slim
readonly REDIS_IMAGE=redis:7-bookworm
readonly POSTGRES_IMAGE=postgres:15-bookworm
readonly DEBIAN_IMAGE=kworkbench/debian:bookworm-slim
readonly DEBIAN_MIRROR=${KWB_DEBIAN_MIRROR:-http://deb.debian.org/debian}
# The npm that Node.js 24.21 brings along.
readonly NPM_VERSION=11.19.1
# One image is at most 150 MB; a registry that needs longer than this is as good as none.
readonly PULL_TIMEOUT_S=300

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

missing_images() {
  local image
  for image in "$NODE_IMAGE" "$REDIS_IMAGE" "$POSTGRES_IMAGE"; do has_image "$image" || echo "$image"; done
}

# False at the first image that cannot be pulled: the others come from the same registry.
pull_all() {
  local image
  for image in "$@"; do
    say "pulling $image"
    timeout "$PULL_TIMEOUT_S" docker pull -q "$image" >/dev/null 2>&1 || return 1
  done
}

make_debian() {
  has_image "$DEBIAN_IMAGE" && return
  is_root_on_debian || die "no image registry answers, and base images can only be made as root on Debian"
  command -v debootstrap >/dev/null || apt_install debootstrap
  local rootfs
  rootfs=$(mktemp -d)
  # shellcheck disable=SC2064 # the directory of now is meant
  trap "rm -rf '$rootfs'" EXIT
  say "making $DEBIAN_IMAGE (debootstrap)"
  debootstrap --variant=minbase bookworm "$rootfs" "$DEBIAN_MIRROR" >"$rootfs.log" 2>&1 ||
    die "debootstrap failed: $(tail -n 1 "$rootfs.log") (log: $rootfs.log)"
  rm -f "$rootfs.log"
  slim_down "$rootfs"
  tar -C "$rootfs" --numeric-owner -c . |
    docker import --change 'CMD ["bash"]' --change 'LABEL org.kworkbench.made-from=debian-packages' - "$DEBIAN_IMAGE" >/dev/null
  rm -rf "$rootfs"
  trap - EXIT
}

# What Debian's own slim image leaves out, now and for packages installed later.
slim_down() {
  local rootfs=$1
  printf '%s\n' 'path-exclude /usr/share/doc/*' 'path-exclude /usr/share/man/*' 'path-exclude /usr/share/info/*' \
    'path-exclude /usr/share/locale/*' >"$rootfs/etc/dpkg/dpkg.cfg.d/slim"
  printf '%s\n' 'APT::Keep-Downloaded-Packages "false";' 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };' \
    >"$rootfs/etc/apt/apt.conf.d/slim"
  # No service of a package may start while an image is built.
  printf '#!/bin/sh\nexit 101\n' >"$rootfs/usr/sbin/policy-rc.d"
  chmod 755 "$rootfs/usr/sbin/policy-rc.d"
  {
    echo "deb $DEBIAN_MIRROR bookworm main"
    echo "deb $DEBIAN_MIRROR bookworm-updates main"
    echo "deb ${DEBIAN_MIRROR%/}-security bookworm-security main"
  } >"$rootfs/etc/apt/sources.list"
  rm -rf "$rootfs"/usr/share/{doc,man,info,locale}/* "$rootfs"/var/cache/apt/* "$rootfs"/var/lib/apt/lists/* \
    "$rootfs"/var/log/*.log "$rootfs"/dev/* "$rootfs"/etc/resolv.conf "$rootfs"/etc/hostname
}

# The Node.js 24 binary: the npm package's, or the running one.
node_binary() {
  local arch candidate
  case "$(uname -m)" in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) die "no Node.js package for $(uname -m)" ;; esac
  for candidate in "$root/node_modules/node-linux-$arch/bin/node" "$(command -v node || true)"; do
    case "$("$candidate" --version 2>/dev/null)" in v24.*) echo "$candidate" && return ;; esac
  done
  die "no Node.js 24 binary: run 'npm ci' in $root first"
}

# Builds images/<directory> as <tag>; further arguments are files that go into the build context.
build_image() {
  local tag=$1 directory=$2 context log
  shift 2
  context=$(mktemp -d)
  log=$(mktemp)
  say "making $tag"
  cp "$here/images/$directory/"* "$@" "$context/"
  [ "$directory" != node ] || add_npm "$context"
  # The host's network: a machine without a registry often reaches its mirrors only from there.
  if ! DOCKER_BUILDKIT=0 docker build --force-rm --network host -t "$tag" "$context" >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    rm -rf "$context"
    die "could not build $tag (log: $log)"
  fi
  rm -rf "$context" "$log"
}

add_npm() {
  local context=$1
  (cd "$context" && npm pack --silent "npm@$NPM_VERSION" >/dev/null && tar -xzf npm-*.tgz && rm npm-*.tgz) 2>/dev/null ||
    die "could not fetch npm@$NPM_VERSION from the npm registry"
}

main() {
  engine_answers || die "no Docker engine answers; run $here/ensure-engine.sh"
  local missing
  mapfile -t missing < <(missing_images)
  if [ ${#missing[@]} -eq 0 ]; then
    say "all there"
    return
  fi
  if pull_all "${missing[@]}"; then return; fi
  say "no image registry answers: making base images from Debian packages"
  make_debian
  has_image "$NODE_IMAGE" || build_image "$NODE_IMAGE" node "$(node_binary)"
  has_image "$REDIS_IMAGE" || build_image "$REDIS_IMAGE" redis
  has_image "$POSTGRES_IMAGE" || build_image "$POSTGRES_IMAGE" postgres
  say "all made"
}

main "$@"
