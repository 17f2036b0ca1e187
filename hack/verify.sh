#!/usr/bin/env bash
# verify.sh GENERATED... -- MODULE...
# Fails when `make generate` would change a generated file, or `go mod tidy` a
# go.mod. It compares with a copy made before and not with the last commit, so
# that it also serves a tree with work in progress.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

generated=() modules=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do generated+=("$1"); shift; done
shift
modules=("$@")

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
for path in "${generated[@]}"; do
  [ -e "$path" ] || continue
  mkdir -p "$before/$(dirname "$path")"
  cp -R "$path" "$before/$path"
done

echo "verify: regenerating"
make generate
stale=0
for path in "${generated[@]}"; do
  diff -ruN "$before/$path" "$path" || stale=1 # a path that was not there before counts as empty
done
if [ "$stale" = 1 ]; then
  echo "verify: generated files were out of date (the diff above; they are correct now): commit them" >&2
  exit 1
fi

for module in "${modules[@]}"; do
  echo "verify: go mod tidy in $module"
  (cd "$module" && go mod tidy -diff) || {
    echo "verify: $module/go.mod is not tidy (see above): run \`make tidy\` and commit" >&2
    exit 1
  }
done
