#!/usr/bin/env bash
# Puts every program of a node into bin/node: those of hack/kube/binaries.sh, and the ones that
# nobody releases for tests, built from the Go module proxy (some three minutes, once).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
here=$root/hack/kube

assets=$("$here/binaries.sh")
stamp=$(cat "$here/go.mod" "$here/go.sum" "$here/build.sh" "$here"/{coredns,pause}/main.go | cksum)
if [ "$(cat "$programs/.stamp" 2>/dev/null)" != "$stamp" ]; then
  mkdir -p "$programs"
  rm -f "$programs/.stamp"
  "$here/build.sh" "$programs" kubelet kube-proxy kube-scheduler kube-controller-manager coredns pause
  echo "$stamp" >"$programs/.stamp"
fi
for program in etcd kube-apiserver kubectl; do ln -sfn "$assets/$program" "$programs/$program"; done
(cd "$root/hack/image" && "$root/hack/progress.sh" "image: building hack/image" env CGO_ENABLED=0 go build -trimpath -o "$programs/image" .)
