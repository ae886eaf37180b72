#!/usr/bin/env bash
# Builds the image kworkbench:local from the working tree.
#
#   tools/docker/build-image.sh [TAG]
#
# What a build on this machine needs beyond the Dockerfile: the host's CA certificates for npm, where the host has its
# own, and the commit for the provenance. The certificates are used while building and are not in the image.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

readonly STAGES_KEPT=48h

root=$(cd "$(dirname "$0")/../.." && pwd)
tag=${1:-kworkbench:local}
build_files=$root/.kwb/docker

# The bundle that this machine's own programs were told to trust; none is the normal case.
copy_host_certificates() {
  local bundle=${NODE_EXTRA_CA_CERTS:-${SSL_CERT_FILE:-}}
  mkdir -p "$build_files"
  rm -f "$build_files/host-ca.crt"
  if [ -n "$bundle" ] && [ -r "$bundle" ]; then cp -L "$bundle" "$build_files/host-ca.crt"; fi
}

# Empty on a machine without proxy. Docker knows these build arguments and keeps them out of the image.
proxy_arguments() {
  local name
  for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || printf -- '--build-arg\n%s\n' "$name"
  done
}

copy_host_certificates
mapfile -t proxies < <(proxy_arguments)
commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
say "building $tag"
log=$(mktemp)
if ! docker build --force-rm --network "${KWB_BUILD_NETWORK:-host}" "${proxies[@]}" --build-arg "KWB_COMMIT=$commit" -t "$tag" "$root" >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  die "could not build $tag (log: $log)"
fi
rm -f "$log"
# The classic builder keeps every stage of every build as an image without a name. Those of the last days are its cache.
docker image prune --force --filter label=org.kworkbench.stage --filter "until=$STAGES_KEPT" >/dev/null
say "$tag is $(docker image inspect --format '{{.Size}}' "$tag" | numfmt --to=si)B"
