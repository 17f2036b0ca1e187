#!/usr/bin/env bash
# e2e.sh [GO-TEST-FLAG...]
# Brings up a node on this machine, runs the stories of test/e2e on it, and takes the node down, whatever happens. It needs root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
fail() { echo "e2e: $*" >&2; exit 1; }

hack/kube/packages.sh
hack/postgres.sh
# One node on a machine. The lock is let go when this process ends, however it ends.
exec 9>/var/tmp/oidc-operator-node.lock
flock -n 9 || fail "another 'make e2e' runs on this machine; wait for it"

hack/kube/programs.sh
make build
hack/progress.sh "e2e: bin/node/caller" env CGO_ENABLED=0 go build -trimpath -o bin/node/caller ./test/e2e/caller
# Before there is a node: what does not compile needs none.
hack/progress.sh "e2e: go vet" go vet -tags e2e ./test/e2e
export E2E_OPERATOR_IMAGE=ghcr.io/oidc-operator/oidc-operator:e2e E2E_CALLER_IMAGE=node.test/caller:e2e
bin/node/image build bin/node/images/oidc-operator /operator bin/operator bin/provider
bin/node/image build bin/node/images/caller /caller bin/node/caller

tests=
down() {
  trap - EXIT
  trap '' INT TERM HUP # it takes seconds, and has to end
  [ -z "$tests" ] || { kill -TERM -- "-$tests" && wait "$tests"; } 2>/dev/null || true
  hack/kube/down.sh
}
trap down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
KUBECONFIG=$(hack/kube/up.sh "$E2E_OPERATOR_IMAGE=$root/bin/node/images/oidc-operator" "$E2E_CALLER_IMAGE=$root/bin/node/images/caller")
export KUBECONFIG PATH=$root/bin/node:$PATH

# In a process group of its own, and waited for, so that a signal to this script is heard at once. Of each story one line is shown, and
# what it says.
set -m
{ go test -tags e2e -count=1 -timeout 20m -parallel 8 -v "$@" ./test/e2e 9>&- | grep --line-buffered -v '^=== '; } &
tests=$!
set +m
wait "$tests" || { status=$?; tests=; exit "$status"; }
tests=
