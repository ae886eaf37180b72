#!/usr/bin/env bash
# Makes sure that a kubectl is there that renders k8s/: uses the one on PATH, else, as root on Debian, installs the
# package. Debian 12's kubectl (1.20) is too old for kustomize components; then a newer one must be put on PATH by hand.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=docker/lib.sh
. "$here/docker/lib.sh"

renders() { kubectl kustomize "$here/../k8s/overlays/dev" >/dev/null 2>&1; }
how='put a kubectl of 1.27 or newer on PATH (https://kubernetes.io/docs/tasks/tools/)'

if ! command -v kubectl >/dev/null; then
  is_root_on_debian || die "kubectl is missing: $how"
  apt_install kubernetes-client
fi
renders || die "this kubectl ($(kubectl version --client 2>/dev/null | head -n 1)) cannot render k8s/overlays/dev: $how"
say "ready"
