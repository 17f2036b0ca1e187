#!/usr/bin/env bash
# build.sh DIRECTORY PROGRAM...
# Builds programs of this module into a directory, at the versions of go.mod.
# The first build takes minutes, the next ones seconds. Progress goes to standard error.
set -euo pipefail

dir=$(mkdir -p "$1" && cd "$1" && pwd)
shift
cd "$(dirname "${BASH_SOURCE[0]}")"
export CGO_ENABLED=0 GOFLAGS=-mod=readonly

# Kubernetes has its version from the linker; without it the API server calls
# itself v0.0.0 and clients refuse to talk to it.
version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' go.mod)
number=${version#v}
minor=${number#*.}
kubernetes="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  kubernetes+=" -X $package.gitVersion=$version -X $package.gitMajor=${number%%.*} -X $package.gitMinor=${minor%%.*}"
  kubernetes+=" -X $package.gitTreeState=clean -X $package.gitCommit=0000000000000000000000000000000000000000 -X $package.buildDate=1970-01-01T00:00:00Z"
done

for program; do
  flags="-s -w"
  case $program in
    etcd) package=go.etcd.io/etcd/server/v3 ;;
    coredns | pause) package=./$program ;;
    *) package=k8s.io/kubernetes/cmd/$program flags=$kubernetes ;;
  esac
  # A name of its own first: an interrupted build leaves no half of a binary.
  ../progress.sh "kube: building $program" \
    go build -trimpath -buildvcs=false -tags grpcnotrace -ldflags "$flags" -o "$dir/.$program.new" "$package"
  mv "$dir/.$program.new" "$dir/$program"
done
