#!/usr/bin/env bash
# Puts etcd, kube-apiserver and kubectl into bin/kube and prints that directory.
#
#   KUBEBUILDER_ASSETS   a directory that has the three already: used as it is
#   setup-envtest        else the released binaries, where they can be downloaded
#   hack/kube/go.mod     else built from the Go module proxy (some five minutes, once)
#
# Standard output is the absolute path alone; progress goes to standard error.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
dir=$root/bin/kube
programs=(etcd kube-apiserver kubectl)

say() { echo "kube: $*" >&2; }
fail() { say "$*"; exit 1; }

complete() { # directory: are all programs there?
  local p
  for p in "${programs[@]}"; do [ -x "$1/$p" ] || return 1; done
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  complete "$KUBEBUILDER_ASSETS" ||
    fail "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS does not hold all of: ${programs[*]}; correct or unset it"
  (cd "$KUBEBUILDER_ASSETS" && pwd)
  exit
fi

# The stamp names what the binaries were made from, so that a version bump
# replaces them and anything else is instant.
version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$here/go.mod")
stamp="$version $(cat "$here/go.mod" "$here/go.sum" | cksum)"
if complete "$dir" && [ "$(cat "$dir/.stamp" 2>/dev/null)" = "$stamp" ]; then
  echo "$dir"
  exit
fi
mkdir -p "$dir"
rm -f "$dir/.stamp"

command -v go >/dev/null || fail "Go is not installed; see https://go.dev/doc/install"

# ---- released binaries
download() {
  local minor=${version#v} found
  minor=${minor%.*}
  found=$("$root/bin/tools/setup-envtest" use "$minor.x" --bin-dir "$dir/envtest" -p path) || return 1
  for p in "${programs[@]}"; do cp -f "$found/$p" "$dir/$p" || return 1; done
}

deadline() { # seconds command...: coreutils' timeout is not everywhere
  local seconds=$1 pid
  shift
  "$@" &
  pid=$!
  (sleep "$seconds"; kill "$pid" 2>/dev/null) >/dev/null 2>&1 &
  local guard=$!
  local status=0
  wait "$pid" || status=$?
  kill "$guard" 2>/dev/null || true
  return "$status"
}

if make -s -C "$root" bin/tools/setup-envtest >&2 && deadline 60 download 2>"$dir/.download.log" && complete "$dir"; then
  say "released binaries of Kubernetes ${version%.*} downloaded"
  echo "$stamp" >"$dir/.stamp"
  echo "$dir"
  exit
fi
say "no released binaries to download ($(tail -n 1 "$dir/.download.log" 2>/dev/null | cut -c1-100)); building Kubernetes $version from the module proxy"

"$here/build.sh" "$dir" "${programs[@]}"

echo "$stamp" >"$dir/.stamp"
echo "$dir"
